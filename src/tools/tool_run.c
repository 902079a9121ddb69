/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "tools/tool_run.h"

#include "base/buf.h"
#include "base/mem.h"
#include "net/loop.h"
#include "tools/tool_text.h"

#include <stdlib.h>

void tool_run_end(
    struct tool_run *run, enum tool_status status, struct buf *text)
{
	const struct tool_call_ops *ops = run->ops;
	void *arg = run->arg;
	struct buf result = *text;

	*text = (struct buf){0};
	run->free(run);
	tool_text_cut(&result, TOOL_RESULT_MAX);
	ops->on_end(arg, status, buf_cstr(&result), result.len);
	buf_fini(&result);
}

void tool_run_cancel(struct tool_run **run)
{
	if (*run)
		(*run)->cancel(*run);
	*run = NULL;
}

/* ---- runs with nothing to do ---- */

struct soon {
	struct tool_run run;
	struct loop *loop;
	struct loop_timer timer;
	enum tool_status status;
	struct buf text;
};

static struct soon *soon_of(struct tool_run *run)
{
	return (struct soon *)(void *)run;
}

static void free_soon(struct tool_run *run)
{
	struct soon *s = soon_of(run);

	loop_timer_stop(s->loop, &s->timer);
	buf_fini(&s->text);
	free(s);
}

static void end_soon(void *arg)
{
	struct soon *s = arg;

	tool_run_end(&s->run, s->status, &s->text);
}

struct tool_run *tool_run_soon(struct loop *loop,
    const struct tool_call_ops *ops, void *arg, enum tool_status status,
    struct buf *text)
{
	struct soon *s = mem_alloc(sizeof *s);

	*s = (struct soon){
	    .run = {ops, arg, free_soon, free_soon},
	    .loop = loop,
	    .status = status,
	    .text = *text,
	};
	*text = (struct buf){0};
	loop_timer_init(&s->timer, end_soon, s);
	loop_timer_set(loop, &s->timer, 0);
	return &s->run;
}
