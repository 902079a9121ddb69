/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef TOOLS_TOOL_RUN_H
#define TOOLS_TOOL_RUN_H

/*
 * A run is one call of a tool (core/tool.h), the first member of the struct of
 * each way to do it. It ends by tool_run_end(), or is cancelled by its caller.
 */
#include "core/tool.h"

struct buf;
struct loop;

struct tool_run {
	const struct tool_call_ops *ops;
	void *arg;
	/* Stop, and free the run, now or when its thread lets go of it. */
	void (*cancel)(struct tool_run *run);
	/* Free the run after its end. */
	void (*free)(struct tool_run *run);
};

/*
 * Free the run, then tell its caller. Takes the text, which is cut if it is too
 * long. Never from inside the start of the call.
 */
void tool_run_end(
    struct tool_run *run, enum tool_status status, struct buf *text);

/*
 * Start a run that ends in the loop's next round with this text, which is
 * taken.
 */
struct tool_run *tool_run_soon(struct loop *loop,
    const struct tool_call_ops *ops, void *arg, enum tool_status status,
    struct buf *text);

/* The toolbox operation. */
void tool_run_cancel(struct tool_run **run);

#endif
