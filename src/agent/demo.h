/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENT_DEMO_H
#define AGENT_DEMO_H

/*
 * The embedded agent: deterministic, without network and without effects. It
 * makes the examples of the documents come true and shows every event on demand
 * (agent/script.h).
 */
#include "core/agent.h"

extern const struct agent_kind demo_kind;

#endif
