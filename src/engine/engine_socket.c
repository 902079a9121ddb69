/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "engine/engine_socket.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "core/conf.h"
#include "core/stat.h"
#include "door/door.h"
#include "engine/engine_poll.h"
#include "engine/engine_side.h"
#include "limits/limits.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/ws.h"
#include "socketio/eio_packet.h"

#include <stdlib.h>
#include <string.h>

/* A client that upgrades has this long from its handshake to its "5". */
#define UPGRADE_MS 10000

/* When a client that has said nothing is connected without being asked. */
#define SILENT_MS 3000

/* How long the peer may take to answer our close: some never do. */
#define CUT_MS 250

/* The same for what is queued, when there is no close. */
#define FLUSH_MS 20

#define MAX_FRAGMENTS 65536
#define MILLISECONDS 1000

enum stage {
	STAGE_ASKED,   /* an upgrade: it must send "2probe" */
	STAGE_PROBED,  /* it must send "5" */
	STAGE_OPEN,    /* the transport of its session */
	STAGE_LEAVING, /* it has a second to leave */
	STAGE_CLOSED,  /* we have sent our close */
};

struct socket {
	struct engine_side side;
	struct wire *wire;
	enum stage stage;
	bool is_transport; /* of a session in the table */
	bool has_spoken;
	bool is_looking; /* further down the stack */
	bool has_more;	 /* and waits for the wire to drain */
	int64_t opened_ms;
	struct limits_held held;
	struct loop_timer beat;	 /* the next ping, or the time for its pong */
	struct loop_timer limit; /* of the stage */
	bool awaits_pong;
	struct list link;
};

static struct list sockets = {&sockets, &sockets};

static struct socket *socket_of(struct engine_side *side)
{
	return (struct socket *)(void *)side;
}

static struct loop *loop(void)
{
	return engine_side_world()->setup->loop;
}

static void send_text(struct socket *s, const char *text)
{
	wire_send(s->wire, text, strlen(text));
}

/* ---- the end ---- */

/* Close, and cut the connection soon, whatever the peer does. */
static void close_socket(struct socket *s, int code, const char *why)
{
	if (s->stage == STAGE_CLOSED)
		return;
	s->stage = STAGE_CLOSED;
	s->side.is_over = true;
	loop_timer_stop(loop(), &s->beat);
	loop_timer_set(loop(), &s->limit, CUT_MS);
	wire_close(s->wire, code, why);
}

static void end_socket(struct engine_side *side)
{
	close_socket(socket_of(side), WIRE_CLOSE_AWAY, "");
}

/* The session of a WebSocket that wants to be its transport is not there. */
static void refuse_upgrade(struct socket *s)
{
	if (s->side.is_stuck)
		end_socket(&s->side);
	else
		close_socket(s, WIRE_CLOSE_POLICY, "no session");
}

/* An upgrade that comes to nothing leaves the session polling. */
static void give_up_probe(struct socket *s)
{
	struct engine *e =
	    s->stage == STAGE_PROBED ? engine_side_take(&s->side) : NULL;
	if (!e)
		return;
	e->state = ENGINE_POLLING;
	e->socket.generation = 0;
	engine_give(engine_side_world()->table);
}

static void on_gone(void *arg)
{
	struct socket *s = arg;
	give_up_probe(s);
	if (s->is_transport)
		engine_side_drop(&s->side, ENGINE_LEFT);
	s->stage = STAGE_CLOSED;
	loop_timer_stop(loop(), &s->beat);
	loop_timer_stop(loop(), &s->limit);
	engine_side_fini(&s->side);
	limits_drop(engine_side_world()->setup->limits, &s->held);
	list_remove(&s->link);
	free((char *)(uintptr_t)s->side.place); /* ours */
	free(s);
}

/* ---- packets to the client ---- */

/* One message of a WebSocket is one packet. */
static void send_packets(struct socket *s, const char *packets, size_t len)
{
	while (len) {
		const char *end = memchr(packets, EIO_SEPARATOR, len);
		size_t n = end ? (size_t)(end - packets) : len;
		wire_send(s->wire, packets, n);
		packets += end ? n + 1 : n;
		len -= end ? n + 1 : n;
	}
}

static void send_socket(
    struct engine_side *side, const char *packets, size_t len)
{
	struct socket *s = socket_of(side);
	if (s->stage == STAGE_OPEN || s->stage == STAGE_LEAVING)
		send_packets(s, packets, len);
}

/*
 * What the entry has for the socket, perhaps nothing yet. Returns false if the
 * session is over.
 */
static bool take_queued(struct socket *s, struct buf *out)
{
	if (!s->side.is_shared)
		return true;
	struct engine *e = engine_side_take(&s->side);
	if (!e)
		return s->side.is_stuck;
	(void)engine_unqueue(e, out, SIZE_MAX); /* however many */
	engine_give(engine_side_world()->table);
	return true;
}

static void fill_socket(struct socket *s)
{
	struct buf out = {0};
	s->has_more = true;
	while (s->has_more && s->stage == STAGE_OPEN) {
		if (wire_is_full(s->wire))
			break;
		s->has_more =
		    engine_side_world()->user->fill(&s->side, &out, SIZE_MAX);
		send_packets(s, out.data, out.len);
		buf_reset(&out);
	}
	buf_fini(&out);
}

static void look_socket(struct engine_side *side)
{
	struct socket *s = socket_of(side);
	struct buf out = {0};
	bool is_open = s->stage == STAGE_OPEN || s->stage == STAGE_LEAVING;
	bool was_stuck = side->is_stuck;
	if (!is_open || s->is_looking)
		return;
	s->is_looking = true;
	if (!take_queued(s, &out)) {
		end_socket(side);
	} else {
		send_packets(s, out.data, out.len);
		fill_socket(s);
	}
	s->is_looking = false;
	side->is_stuck = was_stuck; /* it looks again */
	buf_fini(&out);
}

static void on_drain(void *arg)
{
	struct socket *s = arg;
	if (s->has_more)
		look_socket(&s->side);
}

/* ---- the heartbeat ---- */

static void on_beat(void *arg)
{
	struct socket *s = arg;
	if (s->awaits_pong) {
		stat_add(engine_silent, 1);
		engine_side_drop(&s->side, ENGINE_SILENT);
		s->side.is_over = true;
		ws_cut(s->wire);
		return;
	}
	s->awaits_pong = true;
	send_text(s, "2");
	loop_timer_set(loop(), &s->beat, ENGINE_PING_TIMEOUT_MS);
}

static void take_pong(struct socket *s)
{
	if (!s->awaits_pong)
		return;
	s->awaits_pong = false;
	loop_timer_set(loop(), &s->beat, ENGINE_PING_INTERVAL_MS);
}

static bool is_connected(struct engine_side *side)
{
	const void *state = engine_take_state(side);
	if (!state)
		return false;
	bool is_so = engine_side_world()->user->is_connected(state);
	engine_give_state(side);
	return is_so;
}

/* A client that does not connect is connected, if it may be, or closed. */
static void await_connect(struct socket *s)
{
	int64_t left_ms = s->opened_ms + ENGINE_SILENCE_MS - clock_mono_ms();
	if (is_connected(&s->side))
		return;
	if (left_ms <= 0) {
		close_socket(s, WIRE_CLOSE_POLICY, "no connect");
		return;
	}
	loop_timer_set(loop(), &s->limit, left_ms);
	if (!s->has_spoken && !s->side.is_shared)
		engine_side_world()->user->silent(&s->side);
}

/* The time of the stage is over. */
static void on_limit(void *arg)
{
	struct socket *s = arg;
	switch (s->stage) {
	case STAGE_ASKED:
	case STAGE_PROBED:
		give_up_probe(s);
		close_socket(s, WIRE_CLOSE_POLICY, "no upgrade");
		return;
	case STAGE_OPEN:
		await_connect(s);
		return;
	case STAGE_LEAVING:
		close_socket(s, WIRE_CLOSE_NORMAL, "");
		return;
	case STAGE_CLOSED:
		ws_cut(s->wire);
		return;
	}
}

static void open_socket(struct socket *s)
{
	s->stage = STAGE_OPEN;
	s->opened_ms = clock_mono_ms();
	loop_timer_set(loop(), &s->beat, ENGINE_PING_INTERVAL_MS);
	loop_timer_set(loop(), &s->limit,
	    s->side.is_shared ? ENGINE_SILENCE_MS : SILENT_MS);
}

/* ---- the upgrade ---- */

static void take_probe(struct socket *s)
{
	struct engine_table *t = engine_side_world()->table;
	struct engine *e = engine_side_take(&s->side);
	if (!e) {
		refuse_upgrade(s);
		return;
	}
	bool is_taken = e->state != ENGINE_POLLING;
	struct engine_holder poller = e->poller, nobody = {0};
	if (!is_taken) {
		e->state = ENGINE_PROBING;
		e->socket = engine_self(t);
	}
	engine_give(t);
	if (is_taken) {
		close_socket(s, WIRE_CLOSE_POLICY, "already upgraded");
		return;
	}
	s->stage = STAGE_PROBED;
	send_text(s, "3probe");
	engine_side_tell(&poller, &nobody, s->side.number);
}

static void take_upgrade(struct socket *s)
{
	struct engine *e = engine_side_take(&s->side);
	if (!e) {
		refuse_upgrade(s);
		return;
	}
	struct engine_holder poller = e->poller, nobody = {0};
	e->state = ENGINE_UPGRADED;
	engine_give(engine_side_world()->table);
	s->is_transport = true;
	open_socket(s);
	engine_side_list(&s->side);
	engine_side_tell(&poller, &nobody, s->side.number);
	look_socket(&s->side);
}

/* What the client sent could not be done: let it come back and say it again. */
static void end_if_stuck(struct socket *s)
{
	if (s->side.is_stuck)
		end_socket(&s->side);
}

/* Before it is the transport, only these two packets may come. */
static void take_first(struct socket *s, const struct eio_packet *packet)
{
	bool is_probe = packet->type == EIO_PING && packet->data.len == 5 &&
			memcmp(packet->data.text, "probe", 5) == 0;
	if (s->stage == STAGE_ASKED && is_probe) {
		take_probe(s);
	} else if (s->stage == STAGE_PROBED && packet->type == EIO_UPGRADE) {
		take_upgrade(s);
	} else {
		give_up_probe(s);
		close_socket(s, WIRE_CLOSE_POLICY, "no probe");
	}
}

/* ---- packets from the client ---- */

static void take_packet(struct socket *s, const struct eio_packet *packet)
{
	switch (packet->type) {
	case EIO_CLOSE:
		engine_side_drop(&s->side, ENGINE_LEFT);
		close_socket(s, WIRE_CLOSE_NORMAL, "");
		break;
	case EIO_PONG:
		take_pong(s);
		break;
	case EIO_MESSAGE:
		s->has_spoken = true;
		if (!s->side.is_leaving)
			engine_side_world()->user->packet(
			    &s->side, packet->data.text, packet->data.len);
		break;
	case EIO_OPEN:
	case EIO_PING: /* only a client of an older protocol sends it */
	case EIO_UPGRADE:
	case EIO_NOOP:
	case EIO_BINARY:
		break;
	}
}

/* Returns whether the peer may send this much more. */
static bool count_message(struct socket *s, size_t len)
{
	const struct limits_who who = {
	    .peer = s->wire->peer,
	    .peer_is_loopback = s->wire->peer_is_loopback,
	};
	struct limits_verdict v;
	if (limits_request(engine_side_world()->setup->limits, &who,
		(int64_t)len, &v) == 0)
		return true;
	engine_fail(&s->side, "sends too much (limit_peer_requests)");
	return false;
}

static void on_text(void *arg, const char *text, size_t len)
{
	struct socket *s = arg;
	struct eio_packet packet;
	if (s->side.is_over || !count_message(s, len))
		return;
	if (!eio_packet_read(&packet, text, len))
		engine_fail(&s->side, "sent no packet");
	else if (s->stage == STAGE_OPEN || s->stage == STAGE_LEAVING)
		take_packet(s, &packet);
	else
		take_first(s, &packet);
	end_if_stuck(s);
}

/* A client of another format (msgpack) begins with a binary message. */
static void on_binary(void *arg)
{
	struct socket *s = arg;
	if (s->side.is_over || !count_message(s, 0))
		return;
	if (s->stage == STAGE_LEAVING)
		return;
	if (s->stage == STAGE_OPEN && s->has_spoken)
		engine_side_world()->user->attachment(&s->side);
	else
		engine_fail(&s->side, "sent a binary message first");
	end_if_stuck(s);
}

static const struct wire_handlers handlers = {
    .on_text = on_text,
    .on_binary = on_binary,
    .on_drain = on_drain,
    .on_gone = on_gone,
};

/* ---- a side ---- */

static void go_on_socket(struct engine_side *side)
{
	struct socket *s = socket_of(side);
	end_if_stuck(s);
	if (!side->is_leaving || s->stage != STAGE_OPEN)
		return;
	s->stage = STAGE_LEAVING;
	loop_timer_set(loop(), &s->limit, ENGINE_LEAVE_MS);
}

static void pause_socket(struct engine_side *side, bool is_paused)
{
	wire_pause(socket_of(side)->wire, is_paused);
}

static int hold_socket(
    struct engine_side *side, const char *address, struct err *err)
{
	const struct limits_who who = {.caller = address};
	return limits_hold(engine_side_world()->setup->limits, LIMITS_SOCKETS,
	    &who, &socket_of(side)->held, err);
}

static const struct engine_side_ops socket_ops = {
    .hold = hold_socket,
    .look = look_socket,
    .send = send_socket,
    .go_on = go_on_socket,
    .end = end_socket,
    .pause = pause_socket,
};

/* ---- accepting ---- */

static struct wire *accept_wire(struct http_req *req)
{
	const struct conf *conf = engine_side_world()->setup->conf;
	const struct ws_limits limits = {
	    .max_message_bytes = ENGINE_MAX_PAYLOAD,
	    .max_fragments = MAX_FRAGMENTS,
	    .max_output_bytes = (size_t)conf->output_limit,
	    .stall_timeout_ms = conf->slow_reader_timeout * MILLISECONDS,
	    .message_timeout_ms = conf->request_timeout * MILLISECONDS,
	    .is_exact = true, /* a busy side gets nothing */
	    .slow_readers_total = &stat_mine()->slow_readers,
	    .oversized_total = &stat_mine()->oversized,
	};
	return ws_accept(req, &limits);
}

static struct socket *accept_socket(struct http_req *req, const char *sid,
    uint64_t number, const struct limits_held *held)
{
	struct socket *s = mem_zero(sizeof *s);
	engine_side_init(&s->side, &socket_ops, sid, number);
	s->side.place = mem_strdup(http_place(req));
	s->held = *held;
	loop_timer_init(&s->beat, on_beat, s);
	loop_timer_init(&s->limit, on_limit, s);
	list_append(&sockets, &s->link);
	return s;
}

static void take_wire(struct socket *s, struct wire *wire)
{
	s->wire = wire;
	s->side.peer = wire->peer;
	s->side.peer_is_loopback = wire->peer_is_loopback;
	wire->is_admitted = true; /* messages have one small limit for all */
	wire_take(wire, &handlers, s);
}

static void begin_session(struct http_req *req, const struct limits_held *held)
{
	struct buf text = {0};
	char sid[EIO_SID + 1];
	eio_sid_new(sid);
	struct socket *s = accept_socket(req, sid, 0, held);
	s->side.state = mem_zero(engine_side_world()->user->state_bytes);
	engine_side_world()->user->begin(s->side.state, req);
	take_wire(s, accept_wire(req));
	const struct eio_open open = {
	    .sid = sid,
	    .ping_interval_ms = ENGINE_PING_INTERVAL_MS,
	    .ping_timeout_ms = ENGINE_PING_TIMEOUT_MS,
	    .max_payload_bytes = ENGINE_MAX_PAYLOAD,
	};
	eio_put_open(&text, &open);
	wire_send(s->wire, text.data, text.len);
	buf_fini(&text);
	open_socket(s);
}

static void begin_upgrade(
    struct http_req *req, struct span sid, const struct limits_held *held)
{
	struct engine_table *t = engine_side_world()->table;
	enum engine_found found;
	struct limits_held mine = *held;
	char text[EIO_SID + 1];
	struct engine *e = engine_take(t, sid.text, sid.len, &found);
	if (!e) {
		limits_drop(engine_side_world()->setup->limits, &mine);
		engine_poll_refuse_found(req, found);
		return;
	}
	bool is_upgraded = e->state == ENGINE_UPGRADED;
	uint64_t number = e->number;
	memcpy(text, e->sid, sizeof text);
	engine_give(t);
	if (is_upgraded) {
		limits_drop(engine_side_world()->setup->limits, &mine);
		engine_poll_refuse(req, EIO_BAD_REQUEST);
		return;
	}
	struct socket *s = accept_socket(req, text, number, held);
	s->stage = STAGE_ASKED;
	take_wire(s, accept_wire(req));
	loop_timer_set(loop(), &s->limit, UPGRADE_MS);
}

void engine_socket_accept(
    struct http_req *req, struct span sid, const struct limits_held *held)
{
	if (sid.text)
		begin_upgrade(req, sid, held);
	else
		begin_session(req, held);
}

void engine_socket_each(void (*fn)(struct engine_side *side))
{
	list_each_safe(it, &sockets)
	    fn(&list_entry(it, struct socket, link)->side);
}

/*
 * End the connection once what is queued was written, without a close frame: the
 * client for Java reads nothing after one, not even the end of the connection,
 * and would stay "connected" until it misses a ping, 45 seconds later.
 */
static void cut_socket(struct socket *s)
{
	if (s->stage == STAGE_CLOSED)
		return;
	give_up_probe(s);
	s->stage = STAGE_CLOSED;
	s->side.is_over = true;
	loop_timer_stop(loop(), &s->beat);
	loop_timer_set(loop(), &s->limit, FLUSH_MS);
}

/* Clients come back at once. */
void engine_socket_close_all(void)
{
	list_each(it, &sockets)
	{
		cut_socket(list_entry(it, struct socket, link));
	}
}
