/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agent/child.h"

#include "agent/channel.h"
#include "agent/line.h"
#include "base/clock.h"
#include "base/line_queue.h"
#include "base/mem.h"
#include "core/agent_opening.h"
#include "core/stimulus_line.h"
#include "net/loop.h"
#include "runner/scribe.h"

#include <stdlib.h>
#include <string.h>

/* How many bytes of stimuli may wait for a process that does not read. */
#define INPUT_WAITING_MAX (16u << 20)

/* How often a turn may be given back by processes that cannot begin it. */
#define RETURNS_MAX 4

/* The rate of lines is limited per window of this length. */
#define WINDOW_MS 100

struct agent_turn {
	struct agent *agent;
	const struct agent_input *input; /* NULL: exec is set */
	const struct agent_exec *exec;	 /* a call of one tool */
	struct agent_sink *sink;
	struct channel *channel; /* NULL before it starts and after its end */
	struct line_queue queue;
	struct line line;
	struct draft draft;
	struct scribe scribe;	    /* of its LOG lines */
	size_t input_bytes;	    /* size of its first line */
	struct loop_timer deadline; /* of the run, then of an interrupt */
	struct loop_timer window;
	int64_t window_ms;	    /* when the window began */
	int64_t lines_left;	    /* left in the window */
	enum err_reason end_reason; /* if the channel ended first */
	char *end_detail;
	unsigned n_returns; /* so often it was given back */
	bool has_ended;	    /* the channel has */
	bool is_full;	    /* the sink is */
	bool is_slowed;	    /* by the rate limit */
	bool is_interrupted;
	bool is_told; /* turn_result was emitted */
	bool is_over;
};

/* ---- events of our own ---- */

/* Emit t->draft. If the sink is full, later output of the process waits. */
static void emit(struct agent_turn *t, struct draft *d)
{
	if (!t->sink->ops->emit(t->sink, d))
		t->is_full = true;
}

static void emit_user_input(struct agent_turn *t)
{
	agent_opening_user_input(&t->draft, t->input);
	emit(t, &t->draft);
}

static void emit_files_received(struct agent_turn *t)
{
	agent_opening_files_received(&t->draft, t->input);
	emit(t, &t->draft);
}

static void emit_turn_result(struct agent_turn *t, const char *reason)
{
	if (t->is_told || t->exec)
		return;
	t->is_told = true;
	event_begin(&t->draft, EV_TURN_RESULT, t->input->turn);
	event_int(&t->draft, "turn", t->input->client_turn);
	event_str(&t->draft, "reason", reason, strlen(reason));
	emit(t, &t->draft);
}

static void child_log(void *arg, const char *text, size_t len)
{
	struct agent_turn *t = arg;

	t->sink->ops->log(t->sink, text, len);
}

/* ---- the end of a turn; the sink may free it: callers return at once ---- */

static void stop_timers(struct agent_turn *t)
{
	loop_timer_stop(t->agent->loop, &t->deadline);
	loop_timer_stop(t->agent->loop, &t->window);
}

/* What comes before the sink is told. reason is for the turn_result, or NULL. */
static void settle(struct agent_turn *t, const char *reason)
{
	if (reason)
		emit_turn_result(t, reason);
	scribe_end(&t->scribe, child_log, t);
	t->is_over = true;
	stop_timers(t);
}

static void finish(struct agent_turn *t, const char *result, size_t len,
    const char *session, size_t session_len)
{
	settle(t, t->is_interrupted ? "interrupted" : "natural");
	t->sink->ops->finish(t->sink, result, len, session, session_len);
}

static void end_failed(
    struct agent_turn *t, enum err_reason reason, const char *detail)
{
	/* An interrupted turn may be started again: it has no result yet. */
	settle(t, reason == REASON_INTERRUPTED ? NULL : "error");
	t->sink->ops->fail(t->sink, reason, detail);
}

static void finish_interrupted(struct agent_turn *t)
{
	channel_kill(&t->channel);
	if (t->exec) {
		end_failed(t, REASON_FAILED, "interrupted");
		return;
	}
	finish(t, AGENT_INTERRUPTED_RESULT, strlen(AGENT_INTERRUPTED_RESULT),
	    NULL, 0);
}

/* An interrupted turn always ends as interrupted, however its process ends. */
static void fail(
    struct agent_turn *t, enum err_reason reason, const char *detail)
{
	if (t->is_interrupted) {
		finish_interrupted(t);
		return;
	}
	channel_kill(&t->channel);
	end_failed(t, reason, detail);
}

/* ---- lines of the process ---- */

static void take_output(struct agent_turn *t)
{
	const struct line *l = &t->line;

	channel_retire(&t->channel);
	finish(t, l->result, l->result_len, l->session, l->session_len);
}

static void take_error(struct agent_turn *t)
{
	char *message = mem_strndup(t->line.message, t->line.message_len);

	if (t->is_interrupted) {
		finish_interrupted(t);
	} else {
		channel_retire(&t->channel);
		fail(t, t->line.is_memory ? REASON_MEMORY : REASON_FAILED,
		    message);
	}
	free(message);
}

static void take_event(struct agent_turn *t)
{
	if (t->exec)
		return; /* there is no client to see it */
	t->is_told |= t->line.draft.type == EV_TURN_RESULT;
	emit(t, &t->line.draft);
}

static void take_log(struct agent_turn *t)
{
	const struct line *l = &t->line;
	int64_t now_ms = clock_mono_ms();

	scribe_feed(
	    &t->scribe, l->message, l->message_len, now_ms, child_log, t);
	scribe_feed(&t->scribe, "\n", 1, now_ms, child_log, t);
}

/* Returns whether the turn continues; if not, it may have been freed. */
static bool take_line(struct agent_turn *t, const char *text, size_t len)
{
	uint32_t turn = t->input ? t->input->turn : 1;
	struct err err;

	if (line_read(&t->line, text, len, turn, &err) != 0) {
		fail(t, REASON_GARBAGE, err.text);
		return false;
	}
	switch (t->line.kind) {
	case LINE_BLANK:
		return true;
	case LINE_EVENT:
		take_event(t);
		return true;
	case LINE_LOG:
		take_log(t);
		return true;
	case LINE_OUTPUT:
	case LINE_EXEC_RESULT:
		if ((t->line.kind == LINE_EXEC_RESULT) != (t->exec != NULL))
			fail(t, REASON_GARBAGE,
			    t->exec ? "OUTPUT answers no EXEC"
				    : "EXEC_RESULT answers no INPUT");
		else
			take_output(t);
		return false;
	case LINE_ERROR:
		take_error(t);
		return false;
	}
	return true;
}

/* Count one line in this window; the last one pauses the output. */
static void count_line(struct agent_turn *t)
{
	if (--t->lines_left > 0)
		return;
	t->is_slowed = true;
	loop_timer_set(t->agent->loop, &t->window, WINDOW_MS);
}

static void open_window(struct agent_turn *t)
{
	int64_t now_ms = clock_mono_ms();

	if (now_ms - t->window_ms < WINDOW_MS)
		return;
	t->window_ms = now_ms;
	t->lines_left = t->agent->lines_per_window;
}

/*
 * Process lines while the sink has room and the rate allows. Otherwise the
 * process waits, once its pipe is full (back-pressure). Returns whether the turn
 * continues; if not, it may have been freed: the caller returns at once.
 */
static bool take_lines(struct agent_turn *t)
{
	enum line_state state = LINE_WHOLE;
	const char *text;
	size_t len;

	if (t->is_over || t->is_slowed)
		return !t->is_over;
	open_window(t);
	while (!t->is_full && !t->is_slowed) {
		state = line_next(&t->queue, &text, &len);
		if (state != LINE_WHOLE)
			break;
		if (!take_line(t, text, len))
			return false;
		count_line(t);
	}
	if (state == LINE_TOO_LONG) {
		fail(t, REASON_LINE_TOO_LONG, "a line is over agent_line");
		return false;
	}
	if (state == LINE_NONE && t->has_ended) {
		fail(t, t->end_reason, t->end_detail);
		return false;
	}
	channel_pause(t->channel, t->is_full || t->is_slowed);
	return true;
}

/* ---- the process ---- */

static void child_on_output(void *arg, const char *data, size_t len)
{
	struct agent_turn *t = arg;

	line_lend(&t->queue, data, len);
	if (take_lines(t))
		line_keep(&t->queue);
}

static bool begin(struct agent_turn *t, struct err *err);

/*
 * Begin a turn in another process. A prompt that came meanwhile is lost with
 * the process that has not taken it up, and so begins the next turn.
 */
static bool begin_again(struct agent_turn *t)
{
	struct err err;

	if (t->is_interrupted || ++t->n_returns > RETURNS_MAX)
		return false;
	channel_retire(&t->channel);
	if (!begin(t, &err))
		fail(t, REASON_SPAWN, err.text);
	return true;
}

static void child_on_end(void *arg, const struct channel_end *end)
{
	struct agent_turn *t = arg;

	if (end->is_unbegun && begin_again(t))
		return;
	t->has_ended = true;
	t->end_reason = end->reason;
	t->end_detail = mem_strdup(end->detail);
	if (end->is_success)
		line_feed(&t->queue, "\n", 1);
	(void)take_lines(t); /* it may be gone */
}

static const struct channel_handlers handlers = {
    .on_output = child_on_output,
    .on_complaint = child_log,
    .on_end = child_on_end,
};

static void child_tell(struct agent_turn *t, const struct event *ev)
{
	static const char lost[] = "the agent does not read its input";
	struct buf line = {0};

	if (t->channel && stimulus_line(&line, ev) &&
	    !channel_write(t->channel, line.data, line.len,
		t->input_bytes + INPUT_WAITING_MAX))
		t->sink->ops->log(t->sink, lost, sizeof lost - 1);
	buf_fini(&line);
}

/* ---- time ---- */

static void on_deadline(void *arg)
{
	struct agent_turn *t = arg;

	if (t->is_interrupted)
		finish_interrupted(t);
	else
		fail(t, REASON_TIMEOUT, "run_timeout is over");
}

static void on_window(void *arg)
{
	struct agent_turn *t = arg;

	t->is_slowed = false;
	(void)take_lines(t); /* it may be gone */
}

/* ---- the kind ---- */

void child_init(
    struct agent *a, const struct agent_setup *setup, struct channels *channels)
{
	const struct agent_spec *spec = &setup->spec;

	a->loop = setup->loop;
	a->channels = channels;
	a->line_bytes = (size_t)spec->line_bytes;
	a->lines_per_window = spec->lines_per_s * WINDOW_MS / 1000;
	a->run_timeout_ms = spec->run_timeout_ms;
	a->interrupt_grace_ms = spec->interrupt_grace_ms;
}

const struct agent_about *child_about(const struct agent *a)
{
	return &a->about;
}

static struct agent_turn *new_turn(struct agent *a, struct agent_sink *sink)
{
	struct agent_turn *t = mem_zero(sizeof *t);

	t->agent = a;
	t->sink = sink;
	line_init(&t->queue, a->line_bytes);
	loop_timer_init(&t->deadline, on_deadline, t);
	loop_timer_init(&t->window, on_window, t);
	return t;
}

struct agent_turn *child_start(
    struct agent *a, const struct agent_input *input, struct agent_sink *sink)
{
	struct agent_turn *t = new_turn(a, sink);

	t->input = input;
	return t;
}

struct agent_turn *child_exec(
    struct agent *a, const struct agent_exec *x, struct agent_sink *sink)
{
	struct agent_turn *t = new_turn(a, sink);

	t->exec = x;
	return t;
}

static void write_task(struct agent_turn *t)
{
	struct buf line = {0};

	if (t->exec)
		line_exec(&line, t->exec);
	else
		line_input(&line, t->input);
	t->input_bytes = line.len;
	(void)channel_write(t->channel, line.data, line.len, SIZE_MAX);
	buf_fini(&line);
}

/* Returns false with ERR_AGENT if no process can be had. */
static bool begin(struct agent_turn *t, struct err *err)
{
	struct channels *all = t->agent->channels;

	t->channel = all->open(all, &handlers, t, err);
	if (!t->channel)
		return false;
	write_task(t);
	channel_pause(t->channel, t->is_full);
	return true;
}

void child_run(struct agent_turn *t)
{
	struct err err;

	if (t->input)
		emit_user_input(t);
	if (t->input && t->input->n_files)
		emit_files_received(t);
	if (!begin(t, &err)) {
		fail(t, REASON_SPAWN, err.text);
		return;
	}
	loop_timer_set(t->agent->loop, &t->deadline, t->agent->run_timeout_ms);
}

void child_deliver(struct agent_turn *t, const struct event *ev)
{
	if (t->is_over || (t->exec && ev->type != EV_INTERRUPT))
		return;
	child_tell(t, ev);
	if (ev->type != EV_INTERRUPT || t->is_interrupted)
		return;
	t->is_interrupted = true;
	loop_timer_set(
	    t->agent->loop, &t->deadline, t->agent->interrupt_grace_ms);
}

void child_on_room(struct agent_turn *t)
{
	t->is_full = false;
	(void)take_lines(t); /* it may be gone */
}

void child_free(struct agent_turn **turn)
{
	struct agent_turn *t = *turn;

	if (!t)
		return;
	stop_timers(t);
	channel_kill(&t->channel);
	line_fini(&t->queue);
	line_free(&t->line);
	event_fini(&t->draft);
	buf_fini(&t->scribe.line);
	free(t->end_detail);
	free(t);
	*turn = NULL;
}
