/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENT_CHILD_H
#define AGENT_CHILD_H

/*
 * The agent "exec:COMMAND": a program in any language, one fresh process for
 * each turn, that speaks co-agent(7) on its standard input and output.
 */
#include "core/agent.h"

/* How long an interrupted process may take to end its turn itself. */
#define CHILD_INTERRUPT_MS 5000

/* What comes before the command in the setting 'agent'. */
#define CHILD_PREFIX "exec:"

extern const struct agent_kind child_kind;

/*
 * Fill *about for a command; its name is the program without the folder.
 * Returns the memory of that name, free().
 */
char *child_describe(const char *command, struct agent_about *about);

#endif
