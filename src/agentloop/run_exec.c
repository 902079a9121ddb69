/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agentloop/run_int.h"

#include "base/mem.h"

#include <string.h>

static void finish(struct agent_turn *t, const char *text, size_t len)
{
	t->stage = RUN_OVER;
	t->sink->ops->finish(t->sink, text, len, NULL, 0);
}

static void fail(struct agent_turn *t, const char *why)
{
	t->stage = RUN_OVER;
	t->sink->ops->fail(t->sink, REASON_FAILED, why);
}

static void run_exec_on_output(void *arg, const char *text, size_t len)
{
	(void)arg; /* nobody sees it: the result has it */
	(void)text;
	(void)len;
}

static void run_exec_on_question(void *arg, const char *body, size_t len)
{
	struct run_call *c = arg;

	(void)body;
	(void)len;
	c->state = CALL_ASKED;
	run_go(c->run);
}

static void run_exec_on_end(
    void *arg, enum tool_status status, const char *result, size_t len)
{
	struct run_call *c = arg;
	struct agent_turn *t = c->run;
	struct buf text = {0};

	c->running = NULL;
	buf_append(&text, result, len);
	if (status == TOOL_SUCCESS)
		finish(t, text.len ? text.data : "", text.len);
	else
		fail(t, buf_cstr(&text));
	buf_fini(&text);
}

/* The caller of a direct call can be asked nothing. */
static void on_asked(void *arg)
{
	struct agent_turn *t = arg;

	if (t->stage == RUN_OVER)
		return;
	run_calls_cancel(t);
	fail(t, t->is_interrupted ? "the call was interrupted"
				  : "the tool asks the user, which only a "
				    "turn can do");
}

struct agent_turn *run_exec_start(
    struct agent *a, const struct agent_exec *x, struct agent_sink *sink)
{
	struct agent_turn *t = mem_zero(sizeof *t);

	t->agent = a;
	t->exec = x;
	t->sink = sink;
	t->calls = mem_zero(sizeof *t->calls);
	t->calls->run = t;
	t->n_calls = 1;
	list_init(&t->link);
	list_init(&t->heard);
	loop_later_init(&t->later, on_asked, t);
	loop_timer_init(&t->batch, on_asked, t);
	return t;
}

void run_exec_run(struct agent_turn *t)
{
	static const struct tool_call_ops ops = {
	    .on_output = run_exec_on_output,
	    .on_question = run_exec_on_question,
	    .on_end = run_exec_on_end,
	};
	struct run_call *c = t->calls;
	const struct agent_exec *x = t->exec;
	const struct tool *tool =
	    x->tool ? toolset_find(&t->agent->tools, x->tool, &c->box) : NULL;

	if (!tool) {
		fail(t, "there is no tool of this name");
		return;
	}
	const struct tool_call call = {
	    .tool = tool,
	    .id = "exec",
	    .session_id = x->session_id,
	    .args = x->args,
	    .args_len = x->args_len,
	};
	c->running = c->box->ops->start(c->box, &call, &ops, c);
}
