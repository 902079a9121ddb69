/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENT_PYTHON_H
#define AGENT_PYTHON_H

/*
 * The agent "python:FILE[:NAME]": an unmodified ConnectOnion file. It is run by
 * src/python/co-agent-python: by long-lived processes with many turns each
 * (agent/fleet.h), or, if its state is isolated, by a fork server whose forks
 * are turns (agent/zygote.h).
 */
#include "core/agent.h"

/* The prefix of the file in the setting 'agent'. */
#define PYTHON_PREFIX "python:"

extern const struct agent_kind python_kind;

#endif
