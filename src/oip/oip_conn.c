/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "oip/oip_conn.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/conf.h"
#include "core/stat.h"
#include "door/door.h"
#include "door/frame.h"
#include "net/loop.h"
#include "net/wire.h"
#include "oip/oip_dash.h"
#include "oip/oip_fit.h"
#include "oip/oip_frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Scratch memory above this size is freed after use. */
#define KEEP_BYTES (1024 * 1024)

#define MILLISECONDS 1000

static const char ping_frame[] = "{\"type\":\"PING\"}";

/* State shared by all clients of this process. */
static struct {
	struct list conns;
	struct loop_timer ping;
	struct list quiet; /* the first to resume comes first */
	struct loop_timer hush;
	struct buf frame;
	struct buf record; /* strings of the record read last */
	struct buf end;	   /* body of the end being sent */
	bool is_ready;
} shared;

/* ---- frames ---- */

static void reset(struct buf *b)
{
	if (b->cap > KEEP_BYTES)
		buf_fini(b);
	else
		buf_reset(b);
}

struct buf *oip_conn_frame(void)
{
	reset(&shared.frame);
	return &shared.frame;
}

/* The size below which a frame for this client should be (oip/oip_fit.h). */
static size_t max_bytes(const struct oip_conn *c)
{
	return c->seal ? OIP_FIT_SEALED_BYTES : OIP_FIT_BYTES;
}

static bool is_too_large(const struct oip_conn *c)
{
	return shared.frame.len >= max_bytes(c);
}

void oip_conn_send(struct oip_conn *c)
{
	if (is_too_large(c))
		(void)oip_fit(
		    &shared.frame, max_bytes(c)); /* or send it as it is */
	wire_send(c->wire, shared.frame.data, shared.frame.len);
	reset(&shared.frame);
}

void oip_conn_error(struct oip_conn *c, const char *message)
{
	oip_frame_error(oip_conn_frame(), message);
	oip_conn_send(c);
}

void oip_conn_refuse(struct oip_conn *c, const struct err *err)
{
	const char *id = c->session ? session_id(c->session) : NULL;

	oip_frame_refusal(oip_conn_frame(), err, id);
	oip_conn_send(c);
}

void oip_conn_deny(struct oip_conn *c, const struct err *err)
{
	if (err_is_retryable(err->code))
		oip_conn_refuse(c, err);
	else
		oip_conn_error(c, err->text);
}

/*
 * A page cannot be shortened, but it is meant for browsers, which accept it at
 * any size; only Python clients sign commands in clear, and they show no page.
 */
static bool takes_page(const struct oip_conn *c)
{
	return !c->is_v2 || c->seal || !is_too_large(c);
}

void oip_conn_dashboard(struct oip_conn *c, bool is_new)
{
	struct oip_dash_ask ask = {
	    .conf = c->setup->conf,
	    .tick = loop_tick(c->setup->loop),
	    .is_new = is_new,
	};
	struct buf html = {0};

	if (oip_dash_read(&html, &ask, &c->dashboard)) {
		oip_frame_dashboard(oip_conn_frame(), session_id(c->session),
		    html.data, html.len);
		if (takes_page(c))
			oip_conn_send(c);
	}
	buf_fini(&html);
}

/* ---- pings ---- */

/*
 * One timer serves all clients: the list is in the order in which pings are
 * due.
 */
static void ask_ping(struct loop *loop)
{
	const struct oip_conn *first;
	int64_t delay_ms;

	if (list_is_empty(&shared.conns)) {
		loop_timer_stop(loop, &shared.ping);
		return;
	}
	first = list_entry(shared.conns.next, struct oip_conn, link);
	delay_ms = first->ping_at_ms - clock_mono_ms();
	loop_timer_set(loop, &shared.ping, delay_ms > 0 ? delay_ms : 0);
}

static void ping_later(struct oip_conn *c, int64_t now_ms)
{
	c->ping_at_ms = now_ms + c->setup->conf->ping_interval * MILLISECONDS;
	list_remove(&c->link);
	list_append(&shared.conns, &c->link);
}

static void on_ping_time(void *arg)
{
	struct loop *loop = arg;
	int64_t now_ms = clock_mono_ms();

	while (!list_is_empty(&shared.conns)) {
		struct oip_conn *c =
		    list_entry(shared.conns.next, struct oip_conn, link);
		if (c->ping_at_ms > now_ms)
			break;
		ping_later(c, now_ms);
		wire_send(c->wire, ping_frame, sizeof ping_frame - 1);
	}
	ask_ping(loop);
}

/* ---- reading events ---- */

/* The state of one call of session_read(). */
struct reading {
	struct oip_conn *conn;
	uint64_t ask; /* positions of the waiting questions; 0: none */
	uint64_t approval;
	uint64_t review;
	bool has_row_end; /* the last row sent was the end of a turn */
	bool has_end;
	struct event end; /* its body is in shared.end */
};

/*
 * Do not ask a client again what was answered while it was away. The newest
 * event cannot have been answered yet, whatever the registry says at this
 * moment.
 */
static bool is_answered(const struct reading *r, const struct event *ev)
{
	if (ev->type == EV_ASK_USER && ev->seq < r->conn->answered_seq)
		return true;
	if (ev->seq >= r->conn->replay_head)
		return false;
	if (ev->type == EV_ASK_USER)
		return ev->seq != r->ask;
	if (ev->type == EV_APPROVAL_NEEDED)
		return ev->seq != r->approval;
	if (ev->type == EV_PLAN_REVIEW)
		return ev->seq != r->review;
	return false;
}

static void keep_end(struct reading *r, const struct event *ev)
{
	reset(&shared.end);
	buf_append(&shared.end, ev->body, ev->body_len);
	r->end = *ev;
	r->end.id = "";
	r->end.id_len = 0;
	r->end.body = shared.end.data;
	r->has_end = true;
}

/* An end is no different from other rows. */
static void send_row(struct reading *r, const struct event *ev)
{
	buf_reset(&shared.frame);
	frame_row(&shared.frame, ev);
	wire_send(r->conn->wire, shared.frame.data, shared.frame.len);
	r->has_row_end = event_class(ev->type) == EVENT_TERMINAL;
}

static bool on_event(const struct event *ev, void *arg)
{
	struct reading *r = arg;
	struct oip_conn *c = r->conn;

	c->has_run = true;
	if (ev->type == EV_APPROVAL_NEEDED)
		c->approval_turn = ev->turn;
	if (c->is_rows) {
		send_row(r, ev);
		return !r->has_row_end && !wire_is_full(c->wire);
	}
	if (event_class(ev->type) == EVENT_TERMINAL) {
		keep_end(r, ev);
		return false;
	}
	buf_reset(&shared.frame);
	if (!is_answered(r, ev) &&
	    frame_event(&shared.frame, ev, session_id(c->session)))
		wire_send(c->wire, shared.frame.data, shared.frame.len);
	return !wire_is_full(c->wire);
}

static void oip_conn_tell_end(struct oip_conn *c, const struct event *end)
{
	struct session_record record;
	bool has_record;

	if (end->turn <= c->ended_turn)
		return;
	has_record = oip_conn_record(c, &record);
	frame_end(oip_conn_frame(), end, session_id(c->session),
	    has_record ? &record : NULL, NULL);
	oip_conn_send(c);
	c->ended_turn = end->turn;
	if (end->turn > c->asked_turn)
		c->unasked_turn = end->turn;
	oip_conn_dashboard(c, false);
}

/*
 * Returns the position of a question that waits while the client still reads
 * what it missed; 0: none.
 */
static uint64_t waiting(const struct oip_conn *c, enum event_type kind)
{
	uint64_t question = 0;

	if (c->place.cursor < c->replay_head)
		(void)session_is_waiting(c->session, kind, &question);
	return question;
}

/* Events that are no longer kept must be reported: never a silent hole. */
void oip_conn_tell_gap(struct oip_conn *c, uint64_t n_missed)
{
	oip_frame_gap(oip_conn_frame(), session_id(c->session), n_missed);
	oip_conn_send(c);
}

/* As when a session expires, others are told when they send something. */
static void tell_deleted(struct oip_conn *c)
{
	session_detach(&c->place);
	if (!c->is_rows)
		return;
	oip_frame_deleted(oip_conn_frame(), session_id(c->session));
	oip_conn_send(c);
}

void oip_conn_pump(struct oip_conn *c)
{
	enum session_read result = READ_STOPPED;

	if (!list_is_empty(&c->quiet))
		return;
	while (
	    result != READ_END && c->place.session && !wire_is_full(c->wire)) {
		struct reading r = {
		    .conn = c,
		    .ask = waiting(c, EV_ASK_USER),
		    .approval = waiting(c, EV_APPROVAL_NEEDED),
		    .review = waiting(c, EV_PLAN_REVIEW),
		};
		result = session_read(&c->place, on_event, &r);
		if (result == READ_GONE)
			oip_conn_tell_gap(c, c->place.n_missed);
		if (r.has_end)
			oip_conn_tell_end(c, &r.end);
		if (r.has_row_end)
			oip_conn_dashboard(c, false);
		if (result == READ_DELETED)
			tell_deleted(c);
	}
}

static void oip_conn_on_more(void *arg)
{
	oip_conn_pump(arg);
}

/* ---- holding events back ---- */

static void ask_hush(struct loop *loop)
{
	if (list_is_empty(&shared.quiet)) {
		loop_timer_stop(loop, &shared.hush);
		return;
	}
	const struct oip_conn *first =
	    list_entry(shared.quiet.next, struct oip_conn, quiet);
	int64_t delay_ms = first->quiet_until_ms - clock_mono_ms();
	loop_timer_set(loop, &shared.hush, delay_ms > 0 ? delay_ms : 0);
}

void oip_conn_hush(struct oip_conn *c)
{
	c->quiet_until_ms = clock_mono_ms() + OIP_QUIET_MS;
	list_remove(&c->quiet);
	list_append(&shared.quiet, &c->quiet);
	ask_hush(c->setup->loop);
}

void oip_conn_unhush(struct oip_conn *c)
{
	if (list_is_empty(&c->quiet))
		return;
	list_remove(&c->quiet);
	ask_hush(c->setup->loop);
	oip_conn_pump(c);
}

static void on_hush_time(void *arg)
{
	int64_t now_ms = clock_mono_ms();

	while (!list_is_empty(&shared.quiet)) {
		struct oip_conn *c =
		    list_entry(shared.quiet.next, struct oip_conn, quiet);
		if (c->quiet_until_ms > now_ms)
			break;
		oip_conn_unhush(c);
	}
	ask_hush(arg);
}

/* ---- the session ---- */

bool oip_conn_record(struct oip_conn *c, struct session_record *record)
{
	const char *id = session_id(c->session);
	struct err err;

	reset(&shared.record);
	if (session_get(c->setup->sessions, id, strlen(id), &shared.record,
		record, &err) != 0)
		return false;
	if (c->is_holder)
		record->continuation = session_continuation(c->session);
	return true;
}

void oip_conn_look(struct oip_conn *c, const struct json *conversation)
{
	struct session_guest who = {
	    .caller = c->caller.address,
	    .place = c->wire->place,
	    .conversation = conversation,
	};

	if (!c->is_holder)
		c->is_holder = session_is_held(c->session, &who);
}

bool oip_conn_may_answer(const struct oip_conn *c, struct err *err)
{
	if (c->is_holder || c->caller.is_known ||
	    (c->begun_turn && c->begun_turn == session_turn(c->session)))
		return true;
	(void)err_set(err, ERR_FORBIDDEN,
	    "forbidden: nobody owns this session, so only who began it or "
	    "brings its conversation may do that (the member \"continuation\" "
	    "of CONNECT's \"session\")");
	return false;
}

void oip_conn_admit(struct oip_conn *c)
{
	if (!c->line)
		return;
	c->line->is_admitted = true;
	c->line->is_proven = c->caller.address[0] != 0;
}

void oip_conn_attach(struct oip_conn *c, uint64_t after, uint32_t ended_turn)
{
	c->ended_turn = ended_turn;
	c->replay_head = session_head(c->session);
	session_attach(c->session, &c->place, after, oip_conn_on_more, c);
}

void oip_conn_drop_conversation(struct oip_conn *c)
{
	free(c->conversation);
	c->conversation = NULL;
	c->conversation_len = 0;
}

/* ---- life cycle ---- */

static void get_ready(struct loop *loop)
{
	if (shared.is_ready)
		return;
	list_init(&shared.conns);
	list_init(&shared.quiet);
	loop_timer_init(&shared.ping, on_ping_time, loop);
	loop_timer_init(&shared.hush, on_hush_time, loop);
	shared.is_ready = true;
}

struct oip_conn *oip_conn_open(const struct door_setup *setup)
{
	struct oip_conn *c = mem_zero(sizeof *c);

	get_ready(setup->loop);
	c->setup = setup;
	list_init(&c->link);
	list_init(&c->quiet);
	list_init(&c->calls);
	list_init(&c->held);
	list_init(&c->admin_calls);
	list_init(&c->execs);
	list_init(&c->commands);
	c->caller = CALLER_NOBODY;
	ping_later(c, clock_mono_ms());
	if (shared.conns.next == &c->link)
		ask_ping(setup->loop);
	stat_add(websockets, 1);
	return c;
}

void oip_conn_close(struct oip_conn **c)
{
	struct oip_conn *old = *c;

	if (!old)
		return;
	*c = NULL;
	limits_drop(old->setup->limits, &old->held_sockets);
	session_detach(&old->place);
	session_close(&old->session);
	list_remove(&old->link);
	list_remove(&old->quiet);
	ask_hush(old->setup->loop);
	ask_ping(old->setup->loop);
	free(old->stash);
	free(old->conversation);
	free(old);
	stat_add(websockets, -1);
}

void oip_conn_each(void (*fn)(struct oip_conn *c))
{
	if (!shared.is_ready)
		return;
	list_each_safe(it, &shared.conns)
	    fn(list_entry(it, struct oip_conn, link));
}
