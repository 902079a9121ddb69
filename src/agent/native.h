/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENT_NATIVE_H
#define AGENT_NATIVE_H

/*
 * The agent "c:FILE.so": a shared object in C (co_agent(3)), which co-agent-c
 * loads in a new process for each turn. An object that has only tools leaves the
 * turns to a model (agent/native_model.h).
 */
#include "core/agent.h"

extern const struct agent_kind native_kind;

#endif
