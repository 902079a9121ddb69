/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENT_EXEC_H
#define AGENT_EXEC_H

/*
 * The agent "exec:COMMAND": a program in any language, with a new process for
 * each turn, that speaks co-agent(7) on its standard input and output.
 */
#include "core/agent.h"

extern const struct agent_kind exec_kind;

#endif
