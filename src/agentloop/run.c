/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agentloop/run_int.h"

#include "base/json.h"
#include "base/mem.h"
#include "core/agent_opening.h"

#include <stdlib.h>
#include <string.h>

#define INTERRUPTED_CALL                                                    \
	"The call was interrupted, because the process that ran it ended. " \
	"Whether it had an effect is unknown."

/* Between two looks whether all tools are known. */
#define LOADING_MS 20

static void move(struct agent_turn *t, enum run_stage stage)
{
	t->stage = stage;
	run_go(t);
}

/* ---- the end ---- */

/* Nothing happens to it any more. */
static void stop(struct agent_turn *t)
{
	t->stage = RUN_OVER;
	run_ask_forget(t);
	run_calls_cancel(t);
	loop_timer_stop(t->agent->loop, &t->batch);
	loop_later_cancel(&t->later);
}

static void tell_end(struct agent_turn *t, const char *reason)
{
	struct buf usage = {0};
	struct draft *d;

	if (t->is_told)
		return;
	run_put_usage(&usage, &t->usage);
	d = run_begin(t, EV_TURN_RESULT);
	event_int(d, "turn", t->input->client_turn);
	run_str(t, "reason", reason);
	event_json(d, "usage", usage.data, usage.len);
	run_emit(t);
	buf_fini(&usage);
}

/* The sink may free the run: the caller returns at once. */
static void end(
    struct agent_turn *t, const char *reason, const char *result, size_t len)
{
	struct buf session = {0}, copy = {0};

	buf_append(&copy, result, len);
	stop(t);
	run_ask_close(t);
	tell_end(t, reason);
	run_calls_fold(t);
	memory_render(&t->memory, &session);
	t->sink->ops->finish(t->sink, copy.data ? copy.data : "", copy.len,
	    session.data, session.len);
	buf_fini(&session);
	buf_fini(&copy);
}

/* The same. */
static void fail(
    struct agent_turn *t, enum err_reason reason, const char *detail)
{
	char *copy = mem_strdup(detail);

	stop(t);
	run_ask_close(t);
	tell_end(t, "error");
	t->sink->ops->fail(t->sink, reason, copy);
	free(copy);
}

static void end_quietly(struct agent_turn *t, const char *reason)
{
	end(t, reason, AGENT_INTERRUPTED_RESULT,
	    strlen(AGENT_INTERRUPTED_RESULT));
}

static void end_at_limit(struct agent_turn *t)
{
	struct buf text = {0};

	buf_printf(&text, "Task incomplete: Maximum iterations (%lld) reached.",
	    (long long)t->agent->max_iterations);
	end(t, "max_iterations", text.data, text.len);
	buf_fini(&text);
}

/* An earlier owner told the end, but could not write it. */
static void end_as_told(struct agent_turn *t)
{
	const char *reason = buf_cstr(&t->told_reason);

	if (strcmp(reason, "error") == 0)
		fail(t, REASON_MODEL, "the model could not be asked");
	else if (strcmp(reason, "natural") == 0)
		end(t, reason, t->said.data, t->said.len);
	else if (strcmp(reason, "max_iterations") == 0)
		end_at_limit(t);
	else
		end_quietly(t, reason);
}

/* ---- going on ---- */

static void open_run(struct agent_turn *t)
{
	if (t->is_opened)
		return;
	t->is_opened = true;
	agent_opening_user_input(&t->draft, t->input);
	run_emit(t);
	if (t->input->n_files) {
		agent_opening_files_received(&t->draft, t->input);
		run_emit(t);
	}
}

static void take_heard(struct agent_turn *t)
{
	struct list *l;

	while ((l = list_shift(&t->heard))) {
		struct run_input *in = list_entry(l, struct run_input, link);
		struct draft *d = run_begin(t, EV_USER_INPUT);
		memcpy(d->id, in->id, sizeof in->id);
		event_str(d, "content", in->text, in->len);
		event_int(d, "turn", t->input->client_turn);
		event_bool(d, "runtime_input", true);
		run_emit(t);
		memory_add_user(&t->memory, in->text, in->len, "", 0);
		t->n_joined++;
		free(in);
	}
}

/* May free the run. */
static void ask_next(struct agent_turn *t)
{
	if (run_compact_is_due(t)) {
		run_compact_begin(t);
		return;
	}
	take_heard(t);
	if (t->iteration >= t->agent->max_iterations + t->n_joined) {
		end_at_limit(t);
		return;
	}
	t->iteration++;
	run_ask(t);
}

/* May free the run. */
static void take_failure(struct agent_turn *t)
{
	if (t->is_context_full && run_compact_is_due(t)) {
		buf_reset(&t->failure);
		run_compact_begin(t);
		return;
	}
	fail(t, REASON_MODEL, buf_cstr(&t->failure));
}

/* May free the run. */
static void take_answer(struct agent_turn *t)
{
	if (t->is_compacting) {
		run_compact_end(t);
		move(t, RUN_READY);
	} else if (t->failure.len) {
		take_failure(t);
	} else if (!t->is_final) {
		move(t, RUN_CALLING);
	} else if (!list_is_empty(&t->heard)) {
		move(t, RUN_READY);
	} else {
		end(t, "natural", t->said.data, t->said.len);
	}
}

/* May free the run. */
static void step_calls(struct agent_turn *t)
{
	if (!run_calls_step(t))
		return;
	if (t->is_stopped) {
		end_quietly(t, "stopped");
		return;
	}
	/* The results are written before the model sees them. */
	if (t->n_written < t->n_emitted)
		return;
	run_calls_fold(t);
	move(t, RUN_READY);
}

/*
 * A call that may have run is not run again without being asked to, unless that
 * does no harm.
 */
static void resume_calls(struct agent_turn *t)
{
	for (size_t i = 0; i < t->n_calls; i++) {
		struct run_call *c = &t->calls[i];
		struct toolbox *box;
		const struct tool *tool =
		    toolset_find(&t->agent->tools, c->name, &box);
		if (!c->is_marked || c->state == CALL_ENDED)
			continue;
		if (t->asked == c)
			t->asked = NULL;
		if (tool && (tool->flags & TOOL_IDEMPOTENT))
			c->state = CALL_MARKED;
		else
			run_calls_end(c, true, INTERRUPTED_CALL,
			    strlen(INTERRUPTED_CALL));
	}
}

static void begin(struct agent_turn *t)
{
	resume_calls(t);
	move(t, t->n_calls || t->is_final ? RUN_ANSWERED : RUN_READY);
}

/* Tools that are still loading would be missing from the first question. */
static void step_loading(struct agent_turn *t)
{
	if (toolset_is_loading(&t->agent->tools))
		loop_timer_set(t->agent->loop, &t->batch, LOADING_MS);
	else
		begin(t);
}

/* May free the run. */
static void step(struct agent_turn *t)
{
	if (t->is_interrupted)
		end_quietly(t, "interrupted");
	else if (t->stage == RUN_LOADING)
		step_loading(t);
	else if (t->stage == RUN_READY)
		ask_next(t);
	else if (t->stage == RUN_ANSWERED)
		take_answer(t);
	else if (t->stage == RUN_CALLING)
		step_calls(t);
}

static void run_on_later(void *arg)
{
	struct agent_turn *t = arg;

	if (t->stage != RUN_OVER && (!t->is_full || t->is_interrupted))
		step(t);
}

static void on_batch(void *arg)
{
	struct agent_turn *t = arg;

	run_ask_show(t);
	run_calls_show(t);
	if (t->stage == RUN_LOADING)
		run_go(t);
}

/* ---- the turns of the kind ---- */

struct agent_turn *run_start(
    struct agent *a, const struct agent_input *input, struct agent_sink *sink)
{
	struct agent_turn *t = mem_zero(sizeof *t);

	t->agent = a;
	t->input = input;
	t->sink = sink;
	list_init(&t->link);
	list_init(&t->heard);
	loop_later_init(&t->later, run_on_later, t);
	loop_timer_init(&t->batch, on_batch, t);
	memory_init(&t->memory, input->session, input->session_len,
	    a->max_session_bytes);
	memory_add_user(&t->memory, input->prompt, input->prompt_len,
	    input->images, input->images_len);
	return t;
}

void run_run(struct agent_turn *t)
{
	if (t->exec) {
		run_exec_run(t);
		return;
	}
	if (t->input->is_resumed && !t->has_start) {
		fail(t, REASON_INTERRUPTED, "what it did before is not known");
		return;
	}
	if (t->is_told) {
		end_as_told(t);
		return;
	}
	open_run(t);
	run_ask_close(t);
	if (toolset_is_loading(&t->agent->tools))
		move(t, RUN_LOADING);
	else
		begin(t);
}

void run_deliver(struct agent_turn *t, const struct event *ev)
{
	if (t->exec)
		t->is_interrupted = ev->type == EV_INTERRUPT;
	else
		run_hear(t, ev);
	if (!t->exec || t->is_interrupted)
		run_go(t);
}

void run_on_room(struct agent_turn *t)
{
	t->is_full = false;
	on_batch(t);
	run_go(t);
}

void run_on_written(struct agent_turn *t, unsigned n)
{
	t->n_written += n;
	if (t->stage == RUN_CALLING)
		run_go(t);
}

void run_free(struct agent_turn **tp)
{
	struct agent_turn *t = *tp;
	struct list *l;

	*tp = NULL;
	if (!t)
		return;
	stop(t);
	run_calls_fold(t);
	while ((l = list_shift(&t->heard)))
		free(list_entry(l, struct run_input, link));
	memory_fini(&t->memory);
	event_fini(&t->draft);
	buf_fini(&t->said);
	buf_fini(&t->failure);
	buf_fini(&t->brief);
	buf_fini(&t->told_reason);
	free(t);
}
