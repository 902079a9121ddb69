/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef T_UNIT_TOOL_CALLER_H
#define T_UNIT_TOOL_CALLER_H

/*
 * The caller of a toolbox, in place of the agent loop: makes one call and runs
 * the loop until it has ended.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "core/tool.h"
#include "net/loop.h"

struct tool_caller {
	struct loop *loop;
	struct toolbox *box;
	struct tool_run *run;
	enum tool_status status;
	struct buf result;
	struct buf output;
	unsigned ends;
	struct loop_timer late;
	bool is_late;
};

static inline void tool_caller_on_output(
    void *arg, const char *text, size_t len)
{
	buf_append(&((struct tool_caller *)arg)->output, text, len);
}

static inline void tool_caller_on_end(
    void *arg, enum tool_status status, const char *result, size_t len)
{
	struct tool_caller *c = arg;

	c->run = NULL;
	c->ends++;
	c->status = status;
	buf_append(&c->result, result, len);
	loop_stop(c->loop);
}

static const struct tool_call_ops tool_caller_ops = {
    .on_output = tool_caller_on_output, .on_end = tool_caller_on_end};

static inline void tool_caller_on_late(void *arg)
{
	struct tool_caller *c = arg;

	c->is_late = true;
	loop_stop(c->loop);
}

static inline const struct tool *tool_caller_find(
    const struct toolbox *box, const char *name)
{
	const struct tool *t;

	for (size_t i = 0; (t = box->ops->tool(box, i)) != NULL; i++)
		if (strcmp(t->name, name) == 0)
			return t;
	return NULL;
}

static inline void tool_caller_start(
    struct tool_caller *c, const char *name, const char *args, size_t len)
{
	const struct tool_call call = {
	    .tool = tool_caller_find(c->box, name),
	    .id = "call-1",
	    .session_id = "s1",
	    .args = args,
	    .args_len = len,
	};

	if (!call.tool)
		abort();
	buf_reset(&c->result);
	buf_reset(&c->output);
	c->ends = 0;
	c->run = c->box->ops->start(c->box, &call, &tool_caller_ops, c);
	if (c->ends)
		abort(); /* it may not end from inside start */
}

/* Run the loop until the call ends, or for so long. */
static inline void tool_caller_wait(struct tool_caller *c, int64_t patience_ms)
{
	c->is_late = false;
	loop_timer_init(&c->late, tool_caller_on_late, c);
	loop_timer_set(c->loop, &c->late, patience_ms);
	if (!c->ends)
		loop_run(c->loop);
	loop_timer_stop(c->loop, &c->late);
}

/* Returns the result, valid until the next call. */
static inline const char *tool_caller_call(
    struct tool_caller *c, const char *name, const char *args)
{
	tool_caller_start(c, name, args, strlen(args));
	tool_caller_wait(c, 30000);
	return c->is_late ? "(late)" : buf_cstr(&c->result);
}

static inline void tool_caller_fini(struct tool_caller *c)
{
	buf_fini(&c->result);
	buf_fini(&c->output);
}

#endif
