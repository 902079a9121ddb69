/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "turn/turn_int.h"

#include "base/clock.h"
#include "base/log.h"
#include "core/conf.h"
#include "core/conversation.h"
#include "core/stat.h"
#include "limits/usage.h"
#include "turn/approve.h"
#include "turn/mode.h"

#include <string.h>

/* With this many events, commit before the end of the tick. */
#define PUSH_EVENTS 512

/* The sink is the first member. */
static struct turn *turn_of(struct agent_sink *s)
{
	return (struct turn *)(void *)s;
}

/* Charge model usage to the caller. */
static void count_usage(struct turn *t, const struct draft *d)
{
	struct usage_sums sums = {
	    turn_all(t)->setup.heritage, turn_all(t)->setup.store};
	struct usage more;
	if (d->type != EV_LLM_RESULT ||
	    !usage_read(d->body.data, d->body.len, &more))
		return;
	t->has_usage = true;
	(void)usage_add(&sums, t->input->caller, &more);
	stat_add(tokens, more.tokens);
	stat_add(cost_us, more.cost_us);
}

static bool sink_emit(struct agent_sink *s, struct draft *d)
{
	struct turn *t = turn_of(s);
	if (t->is_ended)
		return false;
	if (approve_decides(t, d)) {
		t->n_decided++; /* it is as good as written */
		return !t->is_full;
	}
	count_usage(t, d);
	if (d->type == EV_USER_INPUT)
		turn_stimuli_took(t, d->id);
	if (d->type == EV_TURN_RESULT)
		turn_tools_end(t, d);
	turn_tools_note(t, d->type, d->body.data, d->body.len);
	turn_tell(t, d);
	t->open->n_emitted += 1 + t->n_decided;
	t->n_decided = 0;
	if (turn_is_question(d->type)) {
		t->open->question_at = t->open->n_events;
		t->open->question = d->type;
	}
	if (t->open->n_events >= PUSH_EVENTS)
		turn_flush(t);
	t->is_full = t->n_unwritten >= TURN_MAX_UNWRITTEN;
	return !t->is_full;
}

static void sink_finish(struct agent_sink *s, const char *result, size_t len,
    const char *session, size_t session_len)
{
	turn_sink_finish(turn_of(s), result, len, session, session_len);
}

/* The process of the turn died, and not because of the turn. */
static void repeat(struct turn *t, const char *detail)
{
	struct buf line = {0};
	log_info("session=%s turn=%u: %s; it is started once more",
	    t->session->id, t->number, detail);
	buf_printf(&line, "started once more: %s", detail);
	turn_activity(t, line.data, line.len);
	buf_fini(&line);
	turn_step(t, STIM_REPEAT);
}

static void sink_fail(
    struct agent_sink *s, enum err_reason reason, const char *detail)
{
	struct turn *t = turn_of(s);
	if (reason == REASON_INTERRUPTED && t->state == TURN_RUNNING &&
	    !t->is_ended && turn_may_repeat(t))
		repeat(t, detail);
	else
		turn_sink_fail(t, reason, detail);
}

static void sink_log(struct agent_sink *s, const char *text, size_t len)
{
	turn_activity(turn_of(s), text, len);
}

static void sink_leave(struct agent_sink *s)
{
	turn_step(turn_of(s), STIM_LEAVE);
}

static const struct agent_sink_ops sink_ops = {
    .emit = sink_emit,
    .finish = sink_finish,
    .fail = sink_fail,
    .log = sink_log,
    .leave = sink_leave,
};

static void fill_history(const struct turn *t, struct conversation_turn *h)
{
	*h = (struct conversation_turn){
	    .id = t->session->id,
	    .prompt = t->input->prompt,
	    .prompt_len = t->input->prompt_len,
	    .images = t->input->images,
	    .images_len = t->input->images_len,
	    .result = t->has_failed    ? NULL
		      : t->result.data ? t->result.data
				       : "",
	    .result_len = t->result.len,
	    .turn = t->client_turn,
	    .now_ms = clock_wall_ms(),
	};
}

/* Stimuli that arrive from now on must wait for the next turn. */
static void close_turn(struct turn *t)
{
	t->is_ended = true;
	atomic_store(&session_entry(t->session)->closing, t->number);
}

void turn_sink_fail(struct turn *t, enum err_reason reason, const char *detail)
{
	if (t->is_ended)
		return;
	close_turn(t);
	t->has_failed = true;
	t->reason = reason;
	buf_reset(&t->talk);
	buf_reset(&t->result);
	if (detail) {
		struct buf line = {0};
		buf_printf(&line, "error reason=%s: %s",
		    err_reason_word(reason), detail);
		turn_activity(t, line.data, line.len);
		turn_all(t)->setup.on_agent_error(
		    turn_all(t)->setup.arg, detail, strlen(detail));
		buf_fini(&line);
	}
	turn_step(t, STIM_FINISH);
}

void turn_sink_finish(struct turn *t, const char *result, size_t len,
    const char *session, size_t session_len)
{
	struct conversation_turn h;
	if (t->is_ended)
		return;
	if (!t->is_end_journal_only)
		buf_append(&t->result, result, len);
	fill_history(t, &h);
	if (session)
		conversation_adopt(&t->talk, session, session_len, &h);
	else
		conversation_add(&t->talk, t->before.data, t->before.len, &h);
	mode_count_turn(&t->talk);
	size_t most = (size_t)turn_conf(t)->max_session;
	if (t->talk.len > most || t->result.len > most) {
		turn_sink_fail(t, REASON_TOO_LARGE,
		    "the conversation or result is over max_session");
		return;
	}
	close_turn(t);
	turn_step(t, STIM_FINISH);
}

void turn_sink_init(struct turn *t)
{
	t->sink.ops = &sink_ops;
}
