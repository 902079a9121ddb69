/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "api/api_events.h"

#include "access/access.h"
#include "api/sse_line.h"
#include "base/buf.h"
#include "base/list.h"
#include "base/mem.h"
#include "core/conf.h"
#include "core/err.h"
#include "core/event.h"
#include "core/stat.h"
#include "door/door.h"
#include "door/frame.h"
#include "door/known_session.h"
#include "door/reply.h"
#include "door/signed_request.h"
#include "net/http.h"
#include "net/loop.h"
#include "session/session.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENT_STREAM "text/event-stream"

/* A comment at this interval keeps proxies from ending a quiet stream. */
#define HEARTBEAT_MS 15000

/* With more waiting bytes than this, the stream pauses until they are read. */
#define HIGH_WATER (256 * 1024)

/* Bytes rendered at a time. */
#define BATCH (128 * 1024)

/* Working memory above this size is freed after use. */
#define KEEP_BYTES (1024 * 1024)

struct event_stream {
	struct list link;
	struct http_req *req;
	const struct door_setup *setup;
	struct session *session;
	struct attachment at;
	struct api_events_plan plan;
	char caller[ADDRESS_SIZE];
	uint32_t ended_turn; /* newest turn whose terminal event was sent */
	bool is_past;	     /* an event of a turn after until_turn was seen */
	bool is_resting;     /* paused; on_drain resumes */
	bool was_quiet;	     /* nothing was written since the last heartbeat */
	size_t stalled_at;   /* bytes waiting when the stall timer was set */
	struct loop_timer heartbeat;
	struct loop_timer stall;
};

static struct list streams = {&streams, &streams};

/* Only one stream renders at a time, so they share the memory. */
static struct buf out;

/* The terminal event at which a read stopped, with memory of its own. */
static struct {
	bool is_there;
	struct event event;
	struct buf memory;
} ending;

/* ---- rendering ---- */

static size_t api_events_put_head(
    const struct event_stream *s, const struct event *ev)
{
	buf_str(&out, "id: ");
	buf_printf(&out, "%" PRIu64, session_epoch(s->setup->sessions));
	buf_char(&out, '-');
	buf_int(&out, (int64_t)ev->seq);
	buf_str(&out, "\nevent: ");
	buf_str(&out, event_name(ev->type));
	buf_str(&out, "\ndata: ");
	return out.len;
}

static void put_tail(size_t from)
{
	sse_line_fit(&out, from);
	buf_append(&out, "\n\n", 2);
}

/* A control event has no frame in any protocol; its body is sent as it is. */
static void put_plain(const struct event_stream *s, const struct event *ev)
{
	buf_str(&out, "{\"type\":\"");
	buf_str(&out, event_name(ev->type));
	buf_char(&out, '"');
	if (ev->body_len) {
		buf_char(&out, ',');
		buf_append(&out, ev->body, ev->body_len);
	}
	buf_str(&out, ",\"id\":");
	buf_json(&out, ev->id, ev->id_len);
	buf_printf(&out, ",\"ts\":%" PRId64 ".%06" PRId64,
	    ev->time_us / 1000000, ev->time_us % 1000000);
	buf_str(&out, ",\"session_id\":");
	buf_json_str(&out, session_id(s->session));
	buf_char(&out, '}');
}

static void put_event(const struct event_stream *s, const struct event *ev)
{
	size_t from = api_events_put_head(s, ev);
	if (!frame_event(&out, ev, session_id(s->session)))
		put_plain(s, ev);
	put_tail(from);
}

/* The record belongs to the latest turn; an older end is sent without it. */
static void put_ending(struct event_stream *s)
{
	const struct event *ev = &ending.event;
	const char *id = session_id(s->session);
	struct buf memory = {0};
	struct session_record record;
	struct err err;
	bool has_record = session_get(s->setup->sessions, id, strlen(id),
			      &memory, &record, &err) == 0 &&
			  record.turn == ev->turn;
	if (has_record && s->plan.is_holder)
		record.continuation = session_continuation(s->session);
	size_t from = api_events_put_head(s, ev);
	frame_end(&out, ev, id, has_record ? &record : NULL, NULL);
	put_tail(from);
	buf_fini(&memory);
	s->ended_turn = ev->turn;
}

static void put_reset(void)
{
	buf_str(&out, "event: reset\ndata: {\"recovered\":false}\n\n");
}

/* ---- reading ---- */

static void keep_ending(const struct event *ev)
{
	buf_reset(&ending.memory);
	buf_append(&ending.memory, ev->id, ev->id_len);
	buf_append(&ending.memory, ev->body, ev->body_len);
	ending.event = *ev;
	ending.event.id = ending.memory.data;
	ending.event.body = ending.memory.data + ev->id_len;
	ending.is_there = true;
}

/*
 * Called inside session_read(), where the record must not be read: an end waits
 * until the read has stopped.
 */
static bool api_events_take_event(const struct event *ev, void *arg)
{
	struct event_stream *s = arg;
	if (s->plan.until_turn && ev->turn > s->plan.until_turn) {
		s->is_past = true;
		return false;
	}
	if (ev->turn < s->plan.until_turn)
		return true; /* the stream may start before its turn */
	stat_add(replayed, 1);
	if (event_class(ev->type) == EVENT_TERMINAL) {
		keep_ending(ev);
		return false;
	}
	put_event(s, ev);
	return out.len < BATCH;
}

/* A damaged event is a hole wherever it is. */
static void note_gone(struct event_stream *s)
{
	bool is_at_start =
	    s->at.cursor - s->at.n_missed == s->plan.after && !s->at.is_damaged;
	if (!s->plan.may_start_late || !is_at_start)
		put_reset();
	s->plan.may_start_late = false;
}

/* Render what is available, up to one batch. Returns whether that was all. */
static bool render(struct event_stream *s)
{
	while (out.len < BATCH && !s->is_past) {
		ending.is_there = false;
		enum session_read how =
		    session_read(&s->at, api_events_take_event, s);
		if (how == READ_GONE)
			note_gone(s);
		s->is_past |= how == READ_DELETED;
		if (ending.is_there)
			put_ending(s);
		if (how == READ_END)
			return true;
	}
	return s->is_past;
}

/* ---- life cycle ---- */

static void let_go(struct event_stream *s)
{
	loop_timer_stop(s->setup->loop, &s->heartbeat);
	loop_timer_stop(s->setup->loop, &s->stall);
	session_detach(&s->at);
	session_close(&s->session);
	list_remove(&s->link);
	free(s);
}

static void api_events_on_gone(void *arg)
{
	let_go(arg);
}

static void api_events_finish(struct event_stream *s)
{
	struct http_req *req = s->req;
	http_on_gone(req, NULL, NULL);
	let_go(s);
	http_stream_end(req);
}

static bool is_all_read(const struct event_stream *s)
{
	return session_status(s->session) != SESSION_RUNNING &&
	       s->at.cursor >= session_head(s->session);
}

/* Whether a stream that has sent everything must end. */
static bool api_events_is_over(const struct event_stream *s)
{
	if (s->is_past)
		return true;
	if (s->plan.until_turn)
		return s->ended_turn >= s->plan.until_turn;
	if (s->plan.is_following)
		return false;
	uint32_t turn = session_turn(s->session);
	if (turn && s->ended_turn == turn)
		return true;
	return is_all_read(s);
}

static void watch_stall(struct event_stream *s)
{
	s->stalled_at = http_stream_pending(s->req);
	loop_timer_set(s->setup->loop, &s->stall,
	    s->setup->conf->slow_reader_timeout * 1000);
}

static void api_events_flush(struct event_stream *s)
{
	if (!out.len)
		return;
	s->was_quiet = false;
	http_stream_write(s->req, out.data, out.len);
	buf_reset(&out);
	if (out.cap > KEEP_BYTES)
		buf_fini(&out);
	watch_stall(s);
}

static void api_events_go_on(struct event_stream *s)
{
	bool is_all = render(s);
	api_events_flush(s);
	/* What was just written will drain, and on_drain resumes from here. */
	s->is_resting = !is_all;
	if (is_all && api_events_is_over(s))
		api_events_finish(s);
}

static void api_events_on_more(void *arg)
{
	struct event_stream *s = arg;
	if (http_stream_pending(s->req) >= HIGH_WATER)
		s->is_resting = true;
	else
		api_events_go_on(s);
}

static void on_drain(void *arg)
{
	struct event_stream *s = arg;
	loop_timer_stop(s->setup->loop, &s->stall);
	if (s->is_resting)
		api_events_go_on(s);
}

static void on_stall(void *arg)
{
	struct event_stream *s = arg;
	size_t pending = http_stream_pending(s->req);
	if (pending && pending >= s->stalled_at) {
		stat_add(slow_readers, 1);
		api_events_finish(s);
	} else if (pending) {
		watch_stall(s);
	}
}

static void on_heartbeat(void *arg)
{
	struct event_stream *s = arg;
	if (s->was_quiet && !http_stream_pending(s->req))
		http_stream_write(s->req, ":\n\n", 3);
	s->was_quiet = true;
	loop_timer_set(s->setup->loop, &s->heartbeat, HEARTBEAT_MS);
}

void api_events_stream(struct http_req *req, const struct door_setup *setup,
    struct session *session, const struct api_events_plan *plan)
{
	static const char hello[] = "retry: 1000\n\n";
	struct event_stream *s = mem_zero(sizeof *s);
	s->req = req;
	s->setup = setup;
	s->session = session;
	s->plan = *plan;
	s->plan.caller = s->caller;
	if (plan->caller)
		(void)snprintf(s->caller, sizeof s->caller, "%s", plan->caller);
	list_append(&streams, &s->link);
	loop_timer_init(&s->heartbeat, on_heartbeat, s);
	loop_timer_init(&s->stall, on_stall, s);
	http_on_gone(req, api_events_on_gone, s);
	http_stream_start(req, 200, EVENT_STREAM, on_drain, s);
	buf_reset(&out);
	buf_str(&out, hello);
	if (plan->is_reset)
		put_reset();
	api_events_flush(s);
	loop_timer_set(setup->loop, &s->heartbeat, HEARTBEAT_MS);
	session_attach(session, &s->at, plan->after, api_events_on_more, s);
	/* No kept event follows, so the end is among what was lost. */
	if (plan->is_reset && is_all_read(s)) {
		s->at.is_end_lost = true;
		api_events_go_on(s);
	}
}

static void end_blocked(struct event_stream *s)
{
	static const char why[] =
	    "event: error\ndata: {\"error\":\"" DOOR_BLOCKED "\"}\n\n";
	http_stream_write(s->req, why, sizeof why - 1);
	api_events_finish(s);
}

void api_events_end_blocked(void)
{
	list_each_safe(it, &streams)
	{
		struct event_stream *s =
		    list_entry(it, struct event_stream, link);
		if (*s->caller &&
		    access_is_blocked(s->setup->access, s->caller))
			end_blocked(s);
	}
}

void api_events_close_all(void)
{
	list_each_safe(it, &streams)
	    api_events_finish(list_entry(it, struct event_stream, link));
}

/* ---- GET /sessions/{id}/events ---- */

/*
 * Read the position from an event id of ours, "<epoch>-<seq>". Returns false if
 * its epoch is another one.
 */
static bool read_position(const char *text, uint64_t epoch, uint64_t *seq)
{
	char *end;
	if (text[0] < '0' || text[0] > '9' ||
	    strtoull(text, &end, 10) != epoch || *end != '-' || end[1] < '0' ||
	    end[1] > '9')
		return false;
	*seq = strtoull(end + 1, &end, 10);
	return *end == '\0';
}

static bool is_flag_set(struct http_req *req, const char *name)
{
	size_t len;
	const char *value = reply_query(req, name, &len);
	return value && !(len == 1 && *value == '0');
}

/* The position before the first event of the latest turn. */
static uint64_t before_turn(const struct session *session)
{
	uint64_t began = session_turn_began(session);
	return began ? began - 1 : 0;
}

static void make_plan(struct http_req *req, const struct door_setup *setup,
    const struct session *session, struct api_events_plan *plan)
{
	size_t len;
	const char *last = http_header(req, "last-event-id");
	const char *from = reply_query(req, "from", &len);
	plan->is_following = is_flag_set(req, "follow");
	plan->after = before_turn(session);
	if (last && last[0]) {
		uint64_t seq = 0;
		plan->is_reset = !read_position(last,
				     session_epoch(setup->sessions), &seq) ||
				 seq > session_head(session);
		if (!plan->is_reset)
			plan->after = seq;
	} else if (from) {
		plan->after = strtoull(from, NULL, 10);
		plan->may_start_late = true;
	}
}

static void stream_for(struct http_req *req, const struct door_setup *setup,
    const struct caller *who)
{
	struct session *session = known_session_of(req, setup, who);
	if (!session)
		return;
	struct api_events_plan plan = {.caller = who->address};
	make_plan(req, setup, session, &plan);
	if (!plan.is_following && !plan.is_reset &&
	    session_status(session) != SESSION_RUNNING &&
	    plan.after >= session_head(session)) {
		/* 204 tells an EventSource not to reconnect. */
		session_close(&session);
		http_reply(req, 204, "text/plain; charset=utf-8", "", 0);
		return;
	}
	if (http_is_head(req)) {
		session_close(&session);
		http_reply_head(req, 200, EVENT_STREAM);
		return;
	}
	api_events_stream(req, setup, session, &plan);
}

static void api_events_on_verdict(
    void *arg, struct http_req *req, const struct access_verdict *v)
{
	if (v->err)
		signed_request_refuse(req, v->err);
	else
		stream_for(req, arg, v->caller);
}

void api_events_get(struct http_req *req, void *arg)
{
	if (signed_request_is(req))
		signed_request_by_headers(
		    req, arg, ACCESS_READ, api_events_on_verdict, arg);
	else
		stream_for(req, arg, &CALLER_NOBODY);
}
