/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef NATIVE_INVOKE_H
#define NATIVE_INVOKE_H

/*
 * Calls of an agent's own tools by the agent: a part of its task, between two
 * events, after approval if the tool wants it.
 */
#include "native/task.h"

/* Call a tool: co_turn_call() of co_agent.h says how. */
int invoke_tool(struct part *caller, const char *name, const char *args,
    const char **result);

#endif
