/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DEMO_DEMO_EXEC_H
#define DEMO_DEMO_EXEC_H

/* Private to the demo agent: a direct call of one of its tools. */
#include <stdbool.h>

struct agent_exec;
struct buf;

/*
 * Call the tool and append its result, or why it failed. Returns whether it
 * succeeded.
 */
bool demo_exec_call(const struct agent_exec *x, struct buf *out);

#endif
