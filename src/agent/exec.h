/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENT_EXEC_H
#define AGENT_EXEC_H

/*
 * The agent "exec:COMMAND": a program in any language, one fresh process for
 * each turn, that speaks co-agent(7) on its standard input and output.
 */
#include "core/agent.h"

/* What comes before the command in the setting 'agent'. */
#define EXEC_PREFIX "exec:"

extern const struct agent_kind exec_kind;

/*
 * Fill *about for a command; its name is the program without the folder.
 * Returns the memory of that name, free().
 */
char *exec_describe(const char *command, struct agent_about *about);

#endif
