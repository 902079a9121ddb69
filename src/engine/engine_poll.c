/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "engine/engine_poll.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "core/conf.h"
#include "core/err.h"
#include "core/stat.h"
#include "door/door.h"
#include "door/reply.h"
#include "engine/engine_side.h"
#include "limits/limits.h"
#include "limits/network.h"
#include "net/http.h"
#include "socketio/eio_packet.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A client for Python takes no more packets than this from a poll. */
#define MAX_PACKETS 16

/*
 * The client for Go sends one packet for each poll that was answered, and so
 * would keep its events and pongs back for as long as a poll waits.
 */
#define GO_CLIENT "engine.io-go/"
#define GO_PATIENCE_MS 1000

/* A peer may begin another session when one of its sessions ends. */
#define CROWD_RETRY_MS 1000

#define TEXT "text/plain; charset=UTF-8"

/* A GET or a POST. */
struct poll {
	struct engine_side side;
	struct http_req *req; /* NULL: the client is gone */
	int64_t began_ms;
	bool is_overdue; /* a GET: it is answered though nothing is there */
	bool is_reading; /* further down the stack */
	bool is_bad;	 /* a POST: it broke a rule */
	struct eio_payload payload;
	struct buf body; /* a copy: the request may end before it is read */
	struct buf bytes;
};

/* ---- replies ---- */

static void reply(
    struct http_req *req, int status, const char *type, struct span body)
{
	http_add_header(req, "cache-control", "no-store");
	http_reply(req, status, type, body.text, body.len);
}

static void reply_buf(
    struct http_req *req, int status, const char *type, const struct buf *body)
{
	reply(req, status, type, (struct span){body->data, body->len});
}

void engine_poll_refuse(struct http_req *req, enum eio_error error)
{
	struct buf body = {0};
	eio_put_error(&body, error);
	reply_buf(req, eio_error_status(error), "application/json", &body);
	buf_fini(&body);
}

/* Its address has as many sessions as it may have. */
static void refuse_crowd(struct http_req *req)
{
	struct err err;
	stat_add(limited_polling, 1);
	(void)err_set(&err, ERR_LIMIT,
	    "too many Socket.IO clients that poll: %" PRId64
	    " from one address (limit_peer_polling); retry when one has ended",
	    engine_side_world()->setup->conf->limit_peer_polling);
	err.retry_after_ms = CROWD_RETRY_MS;
	reply_err(req, &err);
}

void engine_poll_refuse_found(struct http_req *req, enum engine_found found)
{
	if (found == ENGINE_UNKNOWN) {
		engine_poll_refuse(req, EIO_SESSION_UNKNOWN);
		return;
	}
	if (found == ENGINE_CROWDED) {
		refuse_crowd(req);
		return;
	}
	stat_add(polling_refused, found == ENGINE_FULL);
	http_add_header(req, "retry-after", "1");
	http_reply_error(req, 503,
	    found == ENGINE_FULL ? "too many clients poll (max_polling)"
				 : "the server is busy");
}

/* ---- both kinds ---- */

static struct poll *open_poll(struct http_req *req,
    const struct engine_side_ops *ops, const char *sid, uint64_t number)
{
	struct poll *p = mem_zero(sizeof *p);
	engine_side_init(&p->side, ops, sid, number);
	p->req = req;
	p->began_ms = clock_mono_ms();
	p->side.peer = mem_strdup(http_peer(req));
	p->side.place = mem_strdup(http_place(req));
	p->side.peer_is_loopback = http_peer_is_loopback(req);
	return p;
}

static void close_poll(struct poll *p)
{
	engine_side_fini(&p->side);
	free((char *)(uintptr_t)p->side.peer); /* ours */
	free((char *)(uintptr_t)p->side.place);
	buf_fini(&p->body);
	buf_fini(&p->bytes);
	free(p);
}

/* ---- the handshake ---- */

static struct engine *add_entry(
    const struct http_req *req, enum engine_found *found)
{
	char network[NETWORK_SIZE];
	const struct limits_who who = {
	    .peer = http_peer(req),
	    .peer_is_loopback = http_peer_is_loopback(req),
	};
	limits_network(network, &who);
	const struct engine_peer peer = {
	    .network = network,
	    .most = engine_side_world()->setup->conf->limit_peer_polling,
	};
	return engine_add(engine_side_world()->table, &peer, found);
}

static int64_t patience_of(const struct http_req *req)
{
	const char *agent = http_header(req, "user-agent");
	bool is_go =
	    agent && strncmp(agent, GO_CLIENT, sizeof GO_CLIENT - 1) == 0;
	return is_go ? GO_PATIENCE_MS : 0;
}

void engine_poll_begin(struct http_req *req)
{
	enum engine_found found;
	struct buf body = {0};
	char sid[EIO_SID + 1];
	_Alignas(8) char state[ENGINE_USER_BYTES] = {0};
	engine_side_world()->user->begin(state, req);
	struct engine *e = add_entry(req, &found);
	if (!e) {
		engine_poll_refuse_found(req, found);
		return;
	}
	memcpy(e->user, state, sizeof state);
	e->patience_ms = patience_of(req);
	memcpy(sid, e->sid, sizeof sid);
	engine_give(engine_side_world()->table);
	const struct eio_open open = {
	    .sid = sid,
	    .may_upgrade = true,
	    .ping_interval_ms = ENGINE_PING_INTERVAL_MS,
	    .ping_timeout_ms = ENGINE_PING_TIMEOUT_MS,
	    .max_payload_bytes = ENGINE_MAX_PAYLOAD,
	};
	eio_put_open(&body, &open);
	reply_buf(req, 200, TEXT, &body);
	buf_fini(&body);
}

/* ---- GET ---- */

/* Whether a GET has waited for as long as its client can bear. */
static bool is_impatient(
    const struct poll *p, const struct engine *e, int64_t now_ms)
{
	return e->patience_ms && now_ms - p->began_ms >= e->patience_ms;
}

static bool is_ping_due(const struct engine *e, int64_t now_ms)
{
	return !e->ping_ms && !e->end_ms &&
	       now_ms - e->pong_ms >= ENGINE_PING_INTERVAL_MS;
}

/*
 * What the entry has for a GET. Returns how many packets there is room for, or
 * -1 if the session is over.
 */
static int take_packets(struct poll *p, struct buf *out)
{
	struct engine *e = engine_side_take(&p->side);
	if (!e)
		return p->side.is_stuck ? 0 : -1;
	int64_t now_ms = clock_mono_ms();
	int room = MAX_PACKETS;
	p->is_overdue = is_impatient(p, e, now_ms);
	if (e->state != ENGINE_POLLING) {
		buf_char(out, '6');
		room = 0;
	} else {
		room -= (int)engine_unqueue(e, out, MAX_PACKETS - 1);
		if (is_ping_due(e, now_ms)) {
			buf_str(out, out->len ? "\x1e" : "");
			buf_char(out, '2');
			e->ping_ms = now_ms;
			room--;
		}
	}
	engine_give(engine_side_world()->table);
	return room;
}

static void leave_entry(struct poll *p)
{
	struct engine *e = engine_side_take(&p->side);
	if (!e)
		return;
	e->poller.generation = 0;
	engine_give(engine_side_world()->table);
}

static void answer_get(struct poll *p, struct span out)
{
	struct http_req *req = p->req;
	http_on_gone(req, NULL, NULL);
	leave_entry(p);
	close_poll(p);
	reply(req, 200, TEXT, out);
}

/* A client that is still there learns from its next GET that it is over. */
static void end_get(struct engine_side *side)
{
	answer_get((struct poll *)(void *)side, (struct span){"6", 1});
}

static void look_get(struct engine_side *side)
{
	struct poll *p = (struct poll *)(void *)side;
	struct buf out = {0};
	int room = take_packets(p, &out);
	if (room < 0) {
		end_get(side);
		return;
	}
	/* What is more than a batch is for the next GET. */
	if (room > 0)
		(void)engine_side_world()->user->fill(side, &out, (size_t)room);
	side->is_stuck = false; /* it waits, and looks again */
	if (out.len)
		answer_get(p, (struct span){out.data, out.len});
	else if (engine_side_world()->is_closing || p->is_overdue)
		end_get(side); /* its next GET may reach another worker */
	buf_fini(&out);
}

static void on_get_gone(void *arg)
{
	struct poll *p = arg;
	leave_entry(p);
	close_poll(p);
}

static void do_nothing(struct engine_side *side)
{
	(void)side;
}

static void do_not_pause(struct engine_side *side, bool is_paused)
{
	(void)side;
	(void)is_paused;
}

static const struct engine_side_ops get_ops = {
    .look = look_get,
    .go_on = do_nothing,
    .end = end_get,
    .pause = do_not_pause,
};

/*
 * Become the one GET of the session. A second one ends the session, as in the
 * library of Node; one that died with its process does not count.
 */
static enum eio_error begin_get(struct engine *e)
{
	struct engine_table *t = engine_side_world()->table;
	struct engine_holder poller = e->poller, socket = e->socket;
	uint64_t number = e->number;
	if (e->state == ENGINE_UPGRADED) {
		engine_give(t);
		return EIO_BAD_REQUEST;
	}
	if (engine_is_alive(t, &poller)) {
		engine_end(t, ENGINE_BROKEN);
		engine_side_tell(&poller, &socket, number);
		return EIO_BAD_REQUEST;
	}
	e->poller = engine_self(t);
	engine_give(t);
	return EIO_FINE;
}

void engine_poll_get(struct http_req *req, struct span sid)
{
	enum engine_found found;
	char text[EIO_SID + 1];
	struct engine *e =
	    engine_take(engine_side_world()->table, sid.text, sid.len, &found);
	if (!e) {
		engine_poll_refuse_found(req, found);
		return;
	}
	uint64_t number = e->number;
	memcpy(text, e->sid, sizeof text);
	enum eio_error error = begin_get(e);
	if (error != EIO_FINE) {
		engine_poll_refuse(req, error);
		return;
	}
	struct poll *p = open_poll(req, &get_ops, text, number);
	http_on_gone(req, on_get_gone, p);
	engine_side_list(&p->side);
	look_get(&p->side);
}

/* ---- POST ---- */

static void answer_post(struct poll *p)
{
	struct http_req *req = p->req;
	p->req = NULL;
	if (!req)
		return;
	http_on_gone(req, NULL, NULL);
	if (p->is_bad)
		engine_poll_refuse(req, EIO_BAD_REQUEST);
	else if (p->side.is_stuck)
		engine_poll_refuse_found(req, ENGINE_STUCK);
	else
		reply(req, 200, TEXT, (struct span){"ok", 2});
}

static void take_pong(struct poll *p)
{
	struct engine *e = engine_side_take(&p->side);
	if (!e)
		return;
	e->pong_ms = clock_mono_ms();
	e->ping_ms = 0;
	engine_give(engine_side_world()->table);
}

/* The client leaves: its GET that waits is released. */
static void take_close(struct poll *p)
{
	struct engine *e = engine_side_take(&p->side);
	p->side.is_over = true;
	if (!e)
		return;
	struct engine_holder poller = e->poller, socket = e->socket;
	engine_end(engine_side_world()->table, ENGINE_LEFT);
	engine_side_tell(&poller, &socket, p->side.number);
}

static void take_packet(struct poll *p, const struct eio_packet *packet)
{
	struct engine_side *side = &p->side;
	switch (packet->type) {
	case EIO_CLOSE:
		take_close(p);
		break;
	case EIO_PONG:
		take_pong(p);
		break;
	case EIO_MESSAGE:
		if (!side->is_leaving)
			engine_side_world()->user->packet(
			    side, packet->data.text, packet->data.len);
		break;
	case EIO_BINARY:
		if (!side->is_leaving)
			engine_side_world()->user->attachment(side);
		break;
	case EIO_OPEN:
	case EIO_PING:
	case EIO_UPGRADE:
	case EIO_NOOP:
		break; /* a client need not send them here */
	}
}

/* After a packet that was left undone, those that follow must not be done. */
static bool is_read(const struct poll *p)
{
	return p->side.is_over || p->side.is_stuck || p->payload.is_over;
}

static void read_on(struct poll *p)
{
	struct eio_packet packet;
	enum eio_next next = EIO_NEXT;
	p->is_reading = true;
	while (!p->side.is_busy && !is_read(p) && next == EIO_NEXT) {
		next = eio_payload_next(&p->payload, &packet, &p->bytes);
		if (next == EIO_NEXT)
			take_packet(p, &packet);
		else if (next != EIO_NEXT_END)
			engine_fail(&p->side, next == EIO_NEXT_CROWD
						  ? "sent too many packets"
						  : "sent no packet");
	}
	p->is_reading = false;
}

static void go_on_post(struct engine_side *side)
{
	struct poll *p = (struct poll *)(void *)side;
	if (p->is_reading)
		return;
	read_on(p);
	if (side->is_busy || side->n_holds || !is_read(p))
		return;
	answer_post(p);
	close_poll(p);
}

static void end_post(struct engine_side *side)
{
	struct poll *p = (struct poll *)(void *)side;
	p->is_bad = true;
	go_on_post(side);
}

/* What the client said counts; it only cannot be told. */
static void on_post_gone(void *arg)
{
	struct poll *p = arg;
	p->req = NULL;
}

static const struct engine_side_ops post_ops = {
    .go_on = go_on_post,
    .end = end_post,
    .pause = do_not_pause,
};

void engine_poll_post(struct http_req *req, struct span sid)
{
	enum engine_found found;
	size_t len;
	char text[EIO_SID + 1];
	const char *body = http_body(req, &len);
	struct engine *e =
	    engine_take(engine_side_world()->table, sid.text, sid.len, &found);
	if (!e) {
		engine_poll_refuse_found(req, found);
		return;
	}
	uint64_t number = e->number;
	memcpy(text, e->sid, sizeof text);
	engine_give(engine_side_world()->table);
	struct poll *p = open_poll(req, &post_ops, text, number);
	if (len > ENGINE_MAX_PAYLOAD) {
		engine_side_drop(&p->side, ENGINE_OVERSIZED);
		close_poll(p);
		http_reply_error(
		    req, 413, "the body is larger than maxPayload");
		return;
	}
	buf_append(&p->body, body, len);
	p->payload = (struct eio_payload){.at = p->body.data, .left = len};
	http_on_gone(req, on_post_gone, p);
	go_on_post(&p->side);
}
