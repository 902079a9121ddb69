/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agentserver/as_feed.h"

#include "agentserver/as_conn.h"
#include "base/buf.h"
#include "base/clock.h"
#include "core/conf.h"
#include "core/stat.h"
#include "door/door.h"
#include "net/wire.h"
#include "session/session.h"

#include <inttypes.h>
#include <string.h>

/* The largest frame with a number. */
#define FRAME_BYTES ((size_t)4 * 1024 * 1024)

/* How many bytes are written at once. */
#define BATCH ((size_t)256 * 1024)

/*
 * A client waits for the end of its run only after it has got the reply to its
 * request for it, by another connection, which a short run can overtake. So the
 * state is sent no sooner than this after the input, and again later unless
 * another run began; it costs nothing to hear it twice.
 */
#define SNAPSHOT_AFTER_US 200000
static const int64_t repeat_ms[] = {1000, 4000};

#define N_SNAPSHOTS (1 + sizeof repeat_ms / sizeof repeat_ms[0])

static struct buf frame;

/* ---- the state ---- */

static void send_info(struct as_conn *c)
{
	struct buf info = {0};
	as_talk_put_info(&info, &c->talk);
	as_conn_send_state(c, "full_state", info.data, info.len);
	buf_fini(&info);
}

static void send_status(struct as_conn *c)
{
	struct buf value = {0};
	buf_printf(&value, "\"%s\"", as_talk_status(&c->talk));
	as_conn_send_state(c, "execution_status", value.data, value.len);
	buf_fini(&value);
}

static void on_snapshot(void *arg)
{
	struct as_conn *c = arg;
	if (c->is_closed || strcmp(as_talk_status(&c->talk), "running") == 0)
		return;
	if (!wire_is_full(c->wire))
		send_info(c);
	c->n_snapshots++;
	if (c->n_snapshots < N_SNAPSHOTS)
		loop_timer_set(c->setup->loop, &c->snapshot,
		    repeat_ms[c->n_snapshots - 1]);
}

void as_feed_tell_state(struct as_conn *c)
{
	int64_t due_us = c->run_began_us + SNAPSHOT_AFTER_US - clock_wall_us();
	if (due_us < 0)
		due_us = 0;
	if (due_us > SNAPSHOT_AFTER_US) /* the wall clock was set */
		due_us = SNAPSHOT_AFTER_US;
	c->n_snapshots = 0;
	loop_timer_set(c->setup->loop, &c->snapshot, due_us / 1000);
}

/* ---- events ---- */

/* Whether a run is over for the client with this event. */
static bool is_pause(enum event_type type)
{
	return event_class(type) == EVENT_TERMINAL || type == EV_ASK_USER ||
	       type == EV_PLAN_REVIEW || type == EV_APPROVAL_NEEDED;
}

/* What the events of one read mean for the state. */
struct reading {
	struct as_conn *conn;
	size_t written;
	bool has_begun; /* a run began or went on */
	bool has_ended;
	bool is_too_large;
};

static void note_run(struct reading *r, const struct event *ev)
{
	if (ev->type == EV_INPUT || ev->type == EV_ANSWER) {
		r->conn->run_began_us = ev->time_us;
		r->has_begun = true;
		r->has_ended = false;
	} else if (is_pause(ev->type)) {
		r->has_ended = true;
	}
}

static void write_frame(struct reading *r, const struct event *ev)
{
	struct as_conn *c = r->conn;
	buf_reset(&frame);
	if (c->form == AS_SESSION)
		buf_printf(&frame,
		    "{\"type\":\"durable\",\"seq\":%" PRIu64 ",\"event\":",
		    ev->seq - 1);
	as_event_put(&frame, &c->trail, ev);
	if (c->form == AS_SESSION)
		buf_char(&frame, '}');
	r->is_too_large = c->form == AS_SESSION && frame.len > FRAME_BYTES;
	if (!r->is_too_large)
		wire_send(c->wire, frame.data, frame.len);
	r->written += frame.len;
}

/* Called inside session_read(). */
static bool take(const struct event *ev, void *arg)
{
	struct reading *r = arg;
	struct as_conn *c = r->conn;
	if (ev->seq <= c->shown_after || ev->time_us < c->plan.since_us) {
		as_event_pass(&c->trail, ev);
		return true;
	}
	write_frame(r, ev);
	if (ev->seq > c->replay_to)
		note_run(r, ev);
	return !r->is_too_large && r->written < BATCH;
}

/* ---- the feed ---- */

static void watch_stall(struct as_conn *c)
{
	c->stalled_at = wire_pending(c->wire);
	loop_timer_set(c->setup->loop, &c->patience,
	    c->setup->conf->slow_reader_timeout * 1000);
}

/* What was there is sent: the state follows, in this form. */
static void end_replay(struct as_conn *c)
{
	c->is_replaying = false;
	c->plan.since_us = 0;
	if (c->form == AS_SESSION)
		send_info(c);
}

static void tell_changes(struct as_conn *c, const struct reading *r)
{
	if (r->has_begun || r->has_ended)
		send_status(c);
	if (r->has_ended)
		as_feed_tell_state(c);
}

static bool is_more(enum session_read how)
{
	return how == READ_STOPPED || how == READ_GONE;
}

/* Send what there is, as far as the wire has room. */
static void pump(struct as_conn *c)
{
	enum session_read how;
	if (c->is_closed)
		return;
	do {
		struct reading r = {.conn = c};
		how = session_read(&c->at, take, &r);
		if (r.is_too_large) {
			as_conn_close(
			    c, WIRE_CLOSE_TRY_AGAIN, "frame_too_large");
			return;
		}
		if (c->is_replaying && c->at.cursor >= c->replay_to)
			end_replay(c);
		tell_changes(c, &r);
	} while (is_more(how) && !wire_is_full(c->wire));
	c->is_resting = is_more(how);
	if (how == READ_DELETED)
		as_conn_close(c, AS_CLOSE_UNKNOWN, "Conversation not found");
	if (wire_pending(c->wire))
		watch_stall(c);
	if (frame.cap > BATCH)
		buf_fini(&frame);
}

static void on_more(void *arg)
{
	struct as_conn *c = arg;
	if (wire_is_full(c->wire))
		c->is_resting = true;
	else
		pump(c);
}

void as_feed_drain(struct as_conn *c)
{
	if (c->is_resting)
		pump(c);
}

static void send_sync(struct as_conn *c, uint64_t after)
{
	buf_reset(&frame);
	buf_str(&frame, "{\"type\":\"sync\"");
	if (c->replay_to > after)
		buf_printf(&frame,
		    ",\"from_seq\":%" PRIu64 ",\"through_seq\":%" PRIu64, after,
		    c->replay_to - 1);
	buf_char(&frame, '}');
	wire_send(c->wire, frame.data, frame.len);
}

void as_feed_begin(struct as_conn *c)
{
	struct session *s = c->talk.session;
	uint64_t head = session_head(s);
	uint64_t after = c->plan.after < head ? c->plan.after : head;
	c->replay_to = head;
	c->shown_after = after;
	c->is_replaying = true;
	c->trail.salt = as_talk_salt(&c->talk);
	loop_timer_init(&c->snapshot, on_snapshot, c);
	if (c->form == AS_SESSION)
		send_sync(c, after);
	else
		send_info(c);
	session_attach(s, &c->at,
	    after > AS_EVENT_LOOK_BACK ? after - AS_EVENT_LOOK_BACK : 0,
	    on_more, c);
	if (!head) /* nothing will call us */
		end_replay(c);
}

void as_feed_end(struct as_conn *c)
{
	if (!c->at.session)
		return;
	loop_timer_stop(c->setup->loop, &c->snapshot);
	session_detach(&c->at);
}
