/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "openhands/oh_out.h"

#include "base/buf.h"
#include "base/clock.h"
#include "core/err.h"
#include "engine/engine.h"
#include "openhands/oh_client.h"
#include "openhands/oh_state.h"
#include "socketio/eio_packet.h"

/* How much is written at once. */
#define BATCH ((size_t)256 * 1024)

/* What is needed while events are read. */
struct reading {
	struct buf *out;
	struct oh_cursor *cursor;
	enum oh_dialect dialect;
	size_t room; /* for packets */
};

/* An event may become so many: all of its views, and the end of a replay. */
#define MOST_OF_ONE (VIEWS + 1)

void oh_out_begin(struct oh_cursor *cursor, const struct session *s)
{
	uint64_t head = session_head(s);
	if (cursor->last_id > 0 &&
	    session_find_view(s, (uint64_t)cursor->last_id) > head)
		cursor->last_id = -1;
	/* The views of one event may have been cut apart. */
	if (cursor->last_id >= 0)
		cursor->after =
		    session_find_view(s, (uint64_t)cursor->last_id + 1) - 1;
	cursor->is_replay = true;
	cursor->replay_to = head;
	if (cursor->last_id >= 0)
		return;
	/* The conversation began; unless events follow, it is still so. */
	cursor->newest = (struct oh_change){
	    .id = 0,
	    .time_us = clock_wall_ms() * 1000,
	    .agent = OH_AGENT_AWAITING_INPUT,
	};
}

/* ---- packets ---- */

static size_t begin_packet(struct buf *out)
{
	size_t from = out->len;
	if (from)
		buf_char(out, EIO_SEPARATOR);
	sio_begin_event(out, "oh_event");
	return from;
}

static void put_change(struct reading *r, const struct oh_change *change)
{
	(void)begin_packet(r->out); /* it always says something */
	oh_event_put_change(r->out, change, r->dialect);
	sio_end_event(r->out);
	r->room--;
}

static void put_view(struct reading *r, const struct event *ev, unsigned view,
    const struct oh_context *context)
{
	struct oh_change change;
	if (oh_event_change(&change, ev, view)) {
		if (r->cursor->is_replay && ev->seq <= r->cursor->replay_to)
			r->cursor->newest = change;
		else
			put_change(r, &change);
		return;
	}
	size_t from = begin_packet(r->out);
	if (!oh_event_put(r->out, ev, view, context)) {
		r->out->len = from;
		return;
	}
	sio_end_event(r->out);
	r->room--;
}

/* The newest of the changes comes after all other events of the replay. */
static void end_replay(struct reading *r)
{
	struct oh_cursor *cursor = r->cursor;
	cursor->is_replay = false;
	if (cursor->newest.id > -1)
		put_change(r, &cursor->newest);
}

/* What is no event of OpenHands is told to those who are there, once. */
static void put_status(struct reading *r, const struct event *ev)
{
	size_t from = begin_packet(r->out);
	if (!oh_event_put_status(r->out, ev)) {
		r->out->len = from;
		return;
	}
	sio_end_event(r->out);
	r->room--;
}

/* Called inside session_read(). */
static bool take_event(const struct event *ev, void *arg)
{
	struct reading *r = arg;
	struct oh_cursor *cursor = r->cursor;
	int64_t end = (int64_t)views_upto(ev);
	if (cursor->is_replay && ev->seq > cursor->replay_to)
		end_replay(r);
	const struct oh_context context = {
	    .dialect = r->dialect, .cause = oh_calls_cause(&cursor->calls, ev)};
	for (unsigned view = 0; view < VIEWS; view++)
		if (views_has(ev, view) &&
		    oh_event_id(ev, view) > cursor->last_id)
			put_view(r, ev, view, &context);
	if (!cursor->is_replay && ev->seq > cursor->after)
		put_status(r, ev);
	cursor->after = ev->seq;
	if (end > cursor->last_id)
		cursor->last_id = end;
	return r->out->len < BATCH && r->room >= MOST_OF_ONE;
}

/* ---- the session ---- */

static void on_more(void *arg)
{
	struct oh_client *c = arg;
	engine_ready(c->side);
}

/* Returns the position to read after. */
static uint64_t read_after(const struct oh_cursor *cursor)
{
	if (cursor->has_begun)
		return cursor->after;
	return cursor->after > OH_CALLS_BACK ? cursor->after - OH_CALLS_BACK
					     : 0;
}

/*
 * The conversation was deleted. Its server says so without an id, and
 * disconnects the client.
 */
static void tell_over(struct oh_client *c, struct buf *out)
{
	(void)begin_packet(out);
	oh_event_put_over(out);
	sio_end_event(out);
	buf_printf(out, "%c41", EIO_SEPARATOR);
	struct oh_state *state = engine_take_state(c->side);
	if (state) {
		state->phase = OH_LEFT;
		engine_give_state(c->side);
	}
	engine_leave(c->side);
}

/* Whether the session of the id is another than the one whose events it saw. */
static bool is_replaced(const struct oh_client *c, const struct oh_state *state)
{
	return state->cursor.last_id > 0 &&
	       session_number(c->session) != state->number;
}

static bool attach(
    struct oh_client *c, const struct oh_state *state, struct buf *out)
{
	struct err err;
	if (c->session)
		return true;
	c->session = oh_client_open(c, &err);
	if (!c->session)
		return false; /* it is tried again when the side looks */
	if (is_replaced(c, state)) {
		session_close(&c->session);
		tell_over(c, out);
		return false;
	}
	session_attach(
	    c->session, &c->at, read_after(&state->cursor), on_more, c);
	return true;
}

/* Returns whether there is more. */
static bool read_events(struct oh_client *c, struct reading *r)
{
	enum session_read how;
	if (r->room < MOST_OF_ONE)
		return true;
	do {
		how = session_read(&c->at, take_event, r);
	} while (how == READ_GONE);
	r->cursor->has_begun = true;
	if (how == READ_DELETED)
		tell_over(c, r->out);
	if (how == READ_END && r->cursor->is_replay)
		end_replay(r);
	return how == READ_STOPPED;
}

/* Returns a copy of the state if the client is connected. */
static bool copy_state(struct engine_side *side, struct oh_state *copy)
{
	const struct oh_state *state = engine_take_state(side);
	if (!state)
		return false;
	*copy = *state;
	engine_give_state(side);
	return copy->phase == OH_CONNECTED;
}

static bool keep_cursor(struct engine_side *side, const struct oh_cursor *from)
{
	struct oh_state *state = engine_take_state(side);
	if (!state)
		return false;
	state->cursor = *from;
	engine_give_state(side);
	return true;
}

bool oh_out_fill(struct engine_side *side, struct buf *out, size_t most)
{
	struct oh_state state;
	struct oh_client *c = oh_client_of(side);
	if (!copy_state(side, &state)) {
		oh_client_detach(c);
		return false;
	}
	if (oh_client_is_blocked(side, &state)) {
		oh_client_detach(c);
		oh_client_dismiss(side, out);
		return false;
	}
	if (!attach(c, &state, out))
		return false;
	struct reading r = {out, &state.cursor, state.dialect, most};
	size_t before = out->len;
	bool has_more = read_events(c, &r);
	if (keep_cursor(side, &state.cursor))
		return has_more;
	/* They would be sent again: read them again. */
	out->len = before;
	oh_client_detach(c);
	return false;
}
