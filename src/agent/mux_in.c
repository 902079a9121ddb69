/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agent/mux_int.h"

#include "agent/mux_frame.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A quoted reason of the process is cut here. */
#define WHY_MAX 200

/* A copy of a text member, cut to WHY_MAX; "" if there is none. */
static void copy_text(char *out, const struct json *object, const char *key)
{
	struct buf scratch = {0};
	size_t len;
	const char *text = json_str(json_get(object, key), &scratch, &len);

	(void)snprintf(
	    out, WHY_MAX, "%.*s", text ? (int)len : 0, text ? text : "");
	buf_fini(&scratch);
}

static void broken(struct mux *m, const char *why)
{
	mux_life_over(m, REASON_GARBAGE, why);
}

/* Credit for a frame that was processed. */
static void give_back(struct mux *m, struct mux_turn *t)
{
	if (!mux_life_give(t, mux_credit_give(&t->credit)))
		broken(m, "it does not read its input");
}

/*
 * Give a frame to its turn. After its last frame the turn expects no more: its
 * owner has let go of it, or has queued the frame, or does not take it for the
 * last one.
 */
static void deliver(
    struct mux *m, struct mux_turn *t, const char *line, size_t n)
{
	static const struct channel_end no_end = {.reason = REASON_GARBAGE,
	    .detail =
		"its last frame was neither OUTPUT, ERROR nor EXEC_RESULT"};

	m->current = t;
	t->base.handlers.on_output(t->base.arg, line, n);
	if (!m->current || m->is_over)
		return;
	m->current = NULL;
	if (t->is_ended) {
		mux_life_end(t, &no_end);
		mux_life_settle(m);
	} else {
		give_back(m, t);
	}
}

/* A frame of a turn to which nobody listens. */
static void discard(struct mux *m, struct mux_turn *t)
{
	if (t->is_ended) {
		mux_life_detach(t);
		mux_life_settle(m);
	} else {
		give_back(m, t);
	}
}

static enum err_reason lost_reason(const struct json *o)
{
	const struct json *word = json_get(o, "reason");

	if (json_str_is(word, "memory"))
		return REASON_MEMORY;
	return json_str_is(word, "killed") ? REASON_KILLED : REASON_EXITED;
}

/* A turn, which may have ended already, is about to end the process. */
static void take_lost(
    struct mux *m, struct mux_turn *t, const struct mux_frame *f)
{
	struct json_error error;
	char message[WHY_MAX], why[96];
	const struct json *o = json_parse(&m->doc, f->json, f->len, 0, &error);
	enum err_reason reason = lost_reason(o);

	m->is_lost = true;
	copy_text(message, o, "message");
	if (t)
		mux_life_end(t,
		    &(struct channel_end){.reason = reason, .detail = message});
	(void)snprintf(why, sizeof why, "turn %" PRIu64 " ends it: %s",
	    f->number, err_reason_word(reason));
	if (!m->is_over)
		mux_life_fault(m, why);
}

/* Its owner can begin it elsewhere, unless it has begun. */
static void take_return(struct mux *m, struct mux_turn *t)
{
	static const struct channel_end unbegun = {.reason = REASON_SPAWN,
	    .detail = "no process can begin it",
	    .is_unbegun = true};
	static const struct channel_end begun = {.reason = REASON_GARBAGE,
	    .detail = "RETURN came after other frames"};

	m->handlers.on_full(m->arg);
	mux_life_end(t, t->is_begun ? &begun : &unbegun);
	mux_life_settle(m);
}

/* line has n bytes, with its newline, if it is whole. */
static void take_turn_frame(
    struct mux *m, const struct mux_frame *f, const char *line, size_t n)
{
	struct mux_turn *t = mux_table_get(&m->running, f->number);
	enum mux_frame_type type = mux_frame_type(f, &m->doc);
	char why[96];

	if (f->number > m->n_begun) {
		(void)snprintf(why, sizeof why,
		    "a frame of turn %" PRIu64 ", which never began",
		    f->number);
		broken(m, why);
	} else if (type == MUX_FRAME_LOST) {
		take_lost(m, t, f);
	} else if (t && type == MUX_FRAME_RETURN) {
		take_return(m, t);
	} else if (t) {
		t->is_begun = true;
		if (!mux_credit_take(&t->credit, n))
			mux_life_block(t);
		t->is_ended = type == MUX_FRAME_END;
		if (t->is_closed)
			discard(m, t);
		else
			deliver(m, t, f->json, (size_t)(line + n - f->json));
	}
}

static void take_ready(struct mux *m, const struct mux_frame *f)
{
	struct json_error error;
	const struct json *o = json_parse(&m->doc, f->json, f->len, 0, &error);
	bool answers = false;

	if (o && json_bool(json_get(o, "pings"), &answers) && answers)
		mux_pulse_start(m);
	m->handlers.on_ready(m->arg, f->json, f->len);
}

/* A frame of the process itself. */
static void take_own_frame(struct mux *m, const struct mux_frame *f)
{
	struct json_error error;
	char why[WHY_MAX];

	switch (mux_frame_type(f, &m->doc)) {
	case MUX_FRAME_READY:
		take_ready(m, f);
		break;
	case MUX_FRAME_RETIRE:
		copy_text(why, json_parse(&m->doc, f->json, f->len, 0, &error),
		    "reason");
		m->handlers.on_retire(m->arg, why, strlen(why));
		break;
	case MUX_FRAME_BAD:
		broken(m, "a frame of the process itself is not JSON");
		break;
	case MUX_FRAME_LINE:
	case MUX_FRAME_END:
	case MUX_FRAME_LOST:
	case MUX_FRAME_RETURN:
		break; /* an unknown type */
	}
}

static void take_frame(struct mux *m, const char *line, size_t len)
{
	struct mux_frame f;
	char why[WHY_MAX];

	if (!mux_frame_split(&f, line, len)) {
		(void)snprintf(why, sizeof why,
		    "a line does not begin with the number of a turn: %.*s",
		    len < 100 ? (int)len : 100, line);
		broken(m, why);
	} else if (f.number == 0) {
		take_own_frame(m, &f);
	} else {
		take_turn_frame(m, &f, line, len + 1);
	}
}

/*
 * The beginning of a frame over agent_line, which is also too long for a line of
 * the turn: its owner fails it.
 */
static void take_too_long(struct mux *m, const char *line, size_t len)
{
	struct mux_frame f;

	if (!mux_frame_split(&f, line, len) || f.number == 0)
		mux_life_over(
		    m, REASON_LINE_TOO_LONG, "a frame is over agent_line");
	else
		take_turn_frame(m, &f, line, len);
}

void mux_in_take(struct mux *m, const char *data, size_t len)
{
	enum line_state state;
	const char *text;
	size_t n;

	m->busy++;
	m->pulse.is_heard = true;
	line_lend(&m->frames, data, len);
	while (!m->is_over &&
	       (state = line_next(&m->frames, &text, &n)) != LINE_NONE) {
		if (state == LINE_WHOLE)
			take_frame(m, text, n);
		else
			take_too_long(m, text, n);
	}
	if (!m->is_over)
		line_keep(&m->frames);
	mux_life_release(m);
}
