/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agentserver/as_socket.h"

#include "agentserver/as_auth.h"
#include "agentserver/as_conn.h"
#include "agentserver/as_feed.h"
#include "agentserver/as_hear.h"
#include "agentserver/as_id.h"
#include "agentserver/as_reply.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/percent.h"
#include "core/conf.h"
#include "core/err.h"
#include "core/stat.h"
#include "door/door.h"
#include "door/reply.h"
#include "net/http.h"
#include "net/ws.h"
#include "openhands/oh_key.h"

#include <stdlib.h>
#include <string.h>

/* How long a client without a key may take to show it. */
#define KEY_MS 10000

#define MAX_MESSAGE ((size_t)4 * 1024 * 1024)
#define MAX_FRAGMENTS 65536
#define MILLISECONDS 1000

static struct list conns = {&conns, &conns};
static const struct door_setup *setup;
static bool is_closing;

/* ---- the life of a client ---- */

static void begin(struct as_conn *c)
{
	struct err err;
	loop_timer_stop(setup->loop, &c->patience);
	c->wire->is_admitted = true;
	if (as_talk_open(&c->talk, setup, c->uuid, &err) == 0)
		as_feed_begin(c);
	else if (err.code == ERR_NOT_FOUND)
		as_conn_close(c, AS_CLOSE_UNKNOWN, "Conversation not found");
	else
		as_conn_close(c, WIRE_CLOSE_TRY_AGAIN, err_text(err.code));
}

static void on_text(void *arg, const char *text, size_t len)
{
	struct as_conn *c = arg;
	const struct limits_who who = {
	    .peer = c->wire->peer,
	    .peer_is_loopback = c->wire->peer_is_loopback,
	};
	struct limits_verdict v;
	if (c->is_closed)
		return;
	if (!c->talk.session && !as_hear_key(text, len))
		as_conn_close(
		    c, AS_CLOSE_UNAUTHORIZED, "Authentication failed");
	else if (!c->talk.session)
		begin(c);
	else if (limits_request(setup->limits, &who, (int64_t)len, &v) < 0)
		as_hear_complain(c, "refused", v.err.text);
	else
		as_hear_text(c, text, len);
}

/* A frame that shows the key is small. */
static size_t may_grow(void *arg, const char *text, size_t len)
{
	(void)arg;
	(void)text;
	(void)len;
	return WIRE_FIRST_BYTES;
}

static void on_binary(void *arg)
{
	struct as_conn *c = arg;
	if (c->talk.session && !c->is_closed)
		as_hear_complain(c, "invalid_json", "a message must be text");
}

static void on_drain(void *arg)
{
	struct as_conn *c = arg;
	if (c->talk.session)
		as_feed_drain(c);
}

static void on_gone(void *arg)
{
	struct as_conn *c = arg;
	loop_timer_stop(setup->loop, &c->patience);
	as_hear_forget(c);
	as_feed_end(c);
	as_talk_close(&c->talk);
	limits_drop(setup->limits, &c->held);
	list_remove(&c->link);
	free(c->place);
	free(c);
}

/* It has not shown its key in time, or does not read. */
static void on_patience(void *arg)
{
	struct as_conn *c = arg;
	size_t pending = wire_pending(c->wire);
	if (!c->talk.session) {
		as_conn_close(
		    c, AS_CLOSE_UNAUTHORIZED, "Authentication failed");
	} else if (pending && pending >= c->stalled_at) {
		stat_add(slow_readers, 1);
		as_conn_close(c, WIRE_CLOSE_TRY_AGAIN, "slow_consumer");
	} else if (pending) {
		c->stalled_at = pending;
		loop_timer_set(setup->loop, &c->patience,
		    setup->conf->slow_reader_timeout * MILLISECONDS);
	}
}

/* ---- the upgrade ---- */

static const struct wire_handlers handlers = {
    .on_text = on_text,
    .may_grow = may_grow,
    .on_binary = on_binary,
    .on_drain = on_drain,
    .on_gone = on_gone,
};

static struct wire *accept_wire(struct http_req *req)
{
	const struct conf *conf = setup->conf;
	const struct ws_limits limits = {
	    .max_message_bytes = MAX_MESSAGE,
	    .max_fragments = MAX_FRAGMENTS,
	    .max_output_bytes = (size_t)conf->output_limit,
	    /* We close before that, with a code. */
	    .stall_timeout_ms = 2 * conf->slow_reader_timeout * MILLISECONDS,
	    .message_timeout_ms = conf->request_timeout * MILLISECONDS,
	    .slow_readers_total = &stat_mine()->slow_readers,
	    .oversized_total = &stat_mine()->oversized,
	};
	return ws_accept(req, &limits);
}

/* Read the number after which events are wanted; -1: all. */
static bool read_after(struct http_req *req, struct as_plan *plan)
{
	int64_t n = 0;
	size_t len;
	if (!reply_query(req, "after_seq", &len))
		return true;
	if (!reply_query_int(req, "after_seq", &n) || n < -1)
		return false;
	plan->after = (uint64_t)(n + 1);
	return true;
}

static bool query_is(struct http_req *req, const char *name, const char *want)
{
	size_t len = 0;
	const char *text = reply_query(req, name, &len);
	return text && len == strlen(want) && memcmp(text, want, len) == 0;
}

static bool read_since(struct http_req *req, struct as_plan *plan)
{
	struct buf text = {0};
	size_t len = 0;
	const char *value = reply_query(req, "after_timestamp", &len);
	if (value)
		percent_bytes(&text, value, len, false);
	bool is_it = value && as_event_read_time(
				  &plan->since_us, buf_cstr(&text), text.len);
	buf_fini(&text);
	return is_it;
}

static bool read_resend(struct http_req *req, struct as_plan *plan)
{
	size_t len = 0;
	bool has_mode = reply_query(req, "resend_mode", &len);
	bool is_since = query_is(req, "resend_mode", "since");
	if (has_mode && !is_since && !query_is(req, "resend_mode", "all"))
		return false;
	if (is_since && !read_since(req, plan))
		return false;
	if (has_mode || query_is(req, "resend_all", "true"))
		plan->after = 0;
	return true;
}

/* Read what the request wants. Returns false if that is nonsense. */
static bool read_request(struct http_req *req, struct as_conn *c)
{
	static const char session[] = "/sockets/session/";
	const char *id = http_segment(req);
	c->form = strncmp(http_path(req), session, sizeof session - 1) == 0
		      ? AS_SESSION
		      : AS_EVENTS;
	c->plan.after = UINT64_MAX;
	if (!as_id_read(c->uuid, id, strlen(id)))
		return false;
	return c->form == AS_SESSION ? read_after(req, &c->plan)
				     : read_resend(req, &c->plan);
}

static void refuse(struct http_req *req)
{
	http_reply(req, 403, "text/plain", "", 0);
}

/* A client of a WebSocket sees the status only. */
static void on_refused(struct http_req *req, const char *why)
{
	(void)why;
	refuse(req);
}

static void serve(
    struct http_req *req, const struct as_conn *what, bool has_key)
{
	struct as_conn *c = mem_zero(sizeof *c);
	*c = *what;
	c->setup = setup;
	c->place = mem_strdup(http_place(req));
	list_init(&c->sayings);
	list_append(&conns, &c->link);
	loop_timer_init(&c->patience, on_patience, c);
	c->wire = accept_wire(req);
	wire_take(c->wire, &handlers, c);
	if (has_key)
		begin(c);
	else
		loop_timer_set(setup->loop, &c->patience, KEY_MS);
}

static void on_admitted(struct http_req *req, void *arg)
{
	struct as_conn what = {0};
	struct err err;
	const struct limits_who who = {
	    .peer = http_peer(req),
	    .peer_is_loopback = http_peer_is_loopback(req),
	};
	bool has_key = !oh_key_is_set() || as_auth_shown(req) == AS_SHOWN_KEY;
	(void)arg;
	if (!read_request(req, &what))
		refuse(req);
	else if (is_closing)
		reply_detail(req, 503, err_text(ERR_DRAINING));
	else if (limits_hold(setup->limits, LIMITS_SOCKETS, &who, &what.held,
		     &err) != 0)
		as_reply_err(req, &err);
	else
		serve(req, &what, has_key);
}

static void on_upgrade(struct http_req *req, void *arg)
{
	if (!ws_is_handshake(req))
		ws_refuse(req);
	else if (as_auth_shown(req) == AS_SHOWN_WRONG)
		refuse(req);
	else
		as_auth_ask(req, setup, on_admitted, arg, on_refused);
}

void as_socket_mount(struct http *http, const struct door_setup *given)
{
	setup = given;
	http_route(http, "WEBSOCKET", "/sockets/events/*", on_upgrade, NULL);
	http_route(http, "WEBSOCKET", "/sockets/session/*", on_upgrade, NULL);
}

void as_socket_tell(uint64_t salt)
{
	list_each(it, &conns)
	{
		struct as_conn *c = list_entry(it, struct as_conn, link);
		if (!c->at.session || c->trail.salt != salt)
			continue;
		c->run_began_us = clock_wall_us();
		as_feed_tell_state(c);
	}
}

void as_socket_close_all(void)
{
	is_closing = true;
	list_each(it, &conns) as_conn_close(
	    list_entry(it, struct as_conn, link), WIRE_CLOSE_AWAY, "");
}
