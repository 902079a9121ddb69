/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "dialin/dialin_conn.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/err.h"
#include "core/stat.h"
#include "dialin/dialin_dock.h"
#include "dialin/dialin_held.h"
#include "dialin/dialin_report.h"
#include "dialin/dialin_said.h"
#include "dialin/dialin_turn.h"
#include "dialin/dialin_who.h"
#include "net/loop.h"
#include "net/wire.h"
#include "ons/ons_order.h"
#include "ons/ons_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AUTH_MS 30000
#define PING_MS 30000

#define MILLISECONDS 1000

/*
 * A turn may need this long to follow its agent to this worker: until then,
 * what the agent says of a command without a turn waits. When so many bytes
 * wait, nothing more is read.
 */
#define FOLLOW_MS 10000
#define HELD_MOST DIALIN_MAX_MESSAGE

/* Reports of health are stored at most this often. */
#define HEALTH_EVERY_MS 200

/* An agent and its wire; the rest of it is the dock's. */
struct agent_wire {
	struct dialin_conn conn; /* first member */
	struct ons_reader reader;
	struct loop_timer timer; /* until it is known, for that; then PING */
	char *token;		 /* NULL: none */
	size_t token_len;
	int64_t health_ms;
	int64_t followed_ms; /* until then, turns may still follow */
	struct dialin_held held;
	struct loop_timer hold; /* ends the wait of what is held */
};

static struct agent_wire *wire_of(struct list *l)
{
	return (struct agent_wire *)(void *)list_entry(
	    l, struct dialin_conn, link);
}

static bool is_known(const struct agent_wire *w)
{
	return w->conn.connection != 0;
}

/* ---- saying ---- */

static struct span new_id(struct buf *id)
{
	dialin_id(id);
	return (struct span){id->data, id->len};
}

static void send_error(struct agent_wire *w, const struct ons_error *e)
{
	struct buf id = {0}, out = {0};
	ons_put_error(&out, new_id(&id), clock_wall_ms(), e);
	dialin_send(&w->conn, &out);
	stat_add(dialin_errors, 1);
	buf_fini(&id);
	buf_fini(&out);
}

static void refuse(
    struct agent_wire *w, const char *code, const char *text, const char *why)
{
	send_error(w,
	    &(struct ons_error){.code = code, .message = text, .reason = why});
}

static void send_and_free(struct agent_wire *w, struct buf *out)
{
	dialin_send(&w->conn, out);
	buf_fini(out);
}

/* ---- AGENT_CONNECT ---- */

static void welcome(struct agent_wire *w, const struct ons_message *m)
{
	struct buf id = {0}, name = {0}, out = {0};
	struct dialin_conn *c = &w->conn;
	ons_put_id(
	    &name, "agent", clock_wall_ms(), c->connection * 2654435761u);
	struct ons_welcome welcome = {
	    .connection = {name.data, name.len},
	    .agent = {c->id, strlen(c->id)},
	    .takes_events = true,
	};
	ons_put_welcome(&out, new_id(&id), clock_wall_ms(), m, &welcome);
	send_and_free(w, &out);
	buf_fini(&id);
	buf_fini(&name);
}

static bool verify(
    struct agent_wire *w, struct dialin_who *who, const struct ons_connect *c)
{
	const struct dialin_dock *d = w->conn.dock;
	struct span token = c->token;
	if (!token.text)
		token = (struct span){w->token, w->token_len};
	struct err err = {0};
	const char *refusal = d->verify ? d->verify(d->verify_arg, token.text,
					      token.len, who, &err)
					: "Invalid authentication token";
	if (refusal)
		refuse(w, "UNAUTHORIZED", refusal, *err.text ? err.text : NULL);
	return !refusal;
}

/* Enter it into the table. Returns whether it is there. */
static bool enter(struct agent_wire *w, struct dialin_who *who)
{
	struct dialin_conn *c = &w->conn;
	switch (dialin_table_connect(
	    c->dock->table, who, &c->place, &c->connection)) {
	case DIALIN_FOUND:
		return true;
	case DIALIN_FOREIGN:
		log_warn("agent=%s: it is of another user", who->id);
		refuse(w, "UNAUTHORIZED", "Invalid authentication token",
		    "this agentId is another user's");
		return false;
	case DIALIN_FULL:
		refuse(w, "CONNECTION_FAILED", "Agent connection failed",
		    "too many agents are connected: increase "
		    "max_agents_dialed_in in host.yaml");
		break;
	case DIALIN_STUCK:
		refuse(w, "CONNECTION_FAILED", "Agent connection failed",
		    "the server is busy");
		break;
	}
	wire_close(c->wire, WIRE_CLOSE_TRY_AGAIN, "Agent connection failed");
	return false;
}

static void set_alias(struct dialin_conn *c, const struct dialin_who *who)
{
	c->alias = *who->name ? dialin_home(who->name, strlen(who->name)) : 0;
}

static void arrive(struct agent_wire *w, const struct dialin_who *who)
{
	struct dialin_conn *c = &w->conn;
	memcpy(c->id, who->id, sizeof c->id);
	memcpy(c->user, who->user, sizeof c->user);
	memcpy(c->org, who->org, sizeof c->org);
	c->home = dialin_home(who->id, strlen(who->id));
	set_alias(c, who);
	free(w->token);
	w->token = NULL;
	w->token_len = 0;
	w->followed_ms = clock_mono_ms() + FOLLOW_MS;
	log_info("agent=%s type=%s user=%s: connected", who->id, who->type,
	    who->user);
	stat_add(dialin_connects, 1);
	stat_add(dialins, 1);
	loop_timer_set(c->dock->setup.loop, &w->timer, PING_MS);
}

/* The same agent says once more who it is. */
static void connect_again(
    struct agent_wire *w, struct dialin_who *who, const struct ons_message *m)
{
	if (strcmp(who->id, w->conn.id) != 0) {
		refuse(w, "INVALID_MESSAGE", "Invalid message format",
		    "this connection is another agent's");
		return;
	}
	memcpy(who->user, w->conn.user, sizeof who->user);
	memcpy(who->org, w->conn.org, sizeof who->org);
	if (!enter(w, who))
		return;
	set_alias(&w->conn, who);
	welcome(w, m);
}

static void on_connect(struct agent_wire *w, const struct ons_message *m)
{
	const struct dialin_setup *setup = &w->conn.dock->setup;
	struct ons_connect c;
	struct dialin_who who = {.id = ""};
	const char *why = ons_read_connect(&c, &w->reader, m);
	if (why) {
		refuse(w, "INVALID_MESSAGE", "Invalid message format", why);
		return;
	}
	dialin_who_fill(&who, &c);
	if (is_known(w)) {
		connect_again(w, &who, m);
		return;
	}
	if (!verify(w, &who, &c) || !enter(w, &who))
		return;
	dialin_who_active(&w->conn, c.active);
	arrive(w, &who);
	welcome(w, m);
	setup->on_arrival(setup->arg);
}

/* ---- the other messages ---- */

static void on_heartbeat(struct agent_wire *w, const struct ons_message *m)
{
	struct dialin_conn *c = &w->conn;
	struct buf id = {0}, out = {0};
	struct ons_health h;
	int64_t now = clock_mono_ms();
	ons_read_health(&h, m);
	struct dialin_health health = {
	    h.cpu, h.memory_mb, h.uptime_s, h.n_commands, h.response_ms};
	bool is_due = h.is_there && now - w->health_ms >= HEALTH_EVERY_MS;
	if (is_due)
		w->health_ms = now;
	else
		stat_add(dialin_beats_dropped, h.is_there);
	dialin_table_seen(c->dock->table, c->place, is_due ? &health : NULL);
	ons_put_server_heartbeat(&out, new_id(&id), clock_wall_ms());
	send_and_free(w, &out);
	buf_fini(&id);
}

static void on_ping(struct agent_wire *w, const struct ons_message *m)
{
	struct buf id = {0}, out = {0};
	struct ons_ping ping;
	ons_read_ping(&ping, m);
	ons_put_pong(&out, new_id(&id), clock_wall_ms(), &ping);
	send_and_free(w, &out);
	buf_fini(&id);
}

static void on_pong(struct agent_wire *w, const struct ons_message *m)
{
	(void)w; /* a sign of life, like every message */
	(void)m;
}

static void on_report(struct agent_wire *w, const struct ons_message *m)
{
	const char *why = dialin_report(&w->conn, &w->reader, m);
	if (why)
		refuse(w, "INVALID_MESSAGE", "Invalid message format", why);
}

static void on_failure(struct agent_wire *w, const struct ons_message *m)
{
	struct ons_failure f;
	struct buf ack = {0};
	const char *why = ons_read_failure(&f, &w->reader, m);
	if (why) {
		refuse(w, "INVALID_MESSAGE", "Invalid message format", why);
		return;
	}
	log_warn("agent=%s: it reports an error: %.*s", w->conn.id,
	    f.message.len < 200 ? (int)f.message.len : 200, f.message.text);
	if (!f.is_recoverable)
		dialin_table_set_error(
		    w->conn.dock->table, w->conn.place, true);
	dialin_begin_ack(&ack, m);
	ons_put_bool(&ack, "errorReceived", true);
	ons_end(&ack);
	send_and_free(w, &ack);
}

typedef void handler(struct agent_wire *w, const struct ons_message *m);

static const struct {
	enum ons_type type;
	handler *fn;
} handlers[] = {
    {ONS_AGENT_CONNECT, on_connect},
    {ONS_AGENT_HEARTBEAT, on_heartbeat},
    {ONS_COMMAND_ACK, on_report},
    {ONS_TERMINAL_OUTPUT, on_report},
    {ONS_COMMAND_COMPLETE, on_report},
    {ONS_TRACE_EVENT, on_report},
    {ONS_INVESTIGATION_REPORT, on_report},
    {ONS_AGENT_ERROR, on_failure},
    {ONS_AGENT_EVENT, on_report},
    {ONS_PING, on_ping},
    {ONS_PONG, on_pong},
};

static void handle(struct agent_wire *w, const struct ons_message *m)
{
	char text[128];
	for (size_t i = 0; i < sizeof handlers / sizeof handlers[0]; i++) {
		if (handlers[i].type != m->type)
			continue;
		if (is_known(w) || m->type == ONS_AGENT_CONNECT)
			handlers[i].fn(w, m);
		else
			refuse(w, "UNAUTHORIZED", "Must be authenticated first",
			    NULL);
		return;
	}
	if (m->type != ONS_UNKNOWN) {
		refuse(w, "INVALID_MESSAGE_TYPE",
		    "Message type not allowed for agents", NULL);
		return;
	}
	(void)snprintf(text, sizeof text, "Unknown message type: %.*s",
	    m->name.len < 80 ? (int)m->name.len : 80, m->name.text);
	refuse(w, "UNKNOWN_MESSAGE_TYPE", text, NULL);
}

/* ---- messages that wait for a turn ---- */

/* Whether this is a command without a turn, and its turn may still come. */
static bool may_come(struct agent_wire *w, struct span command)
{
	return is_known(w) && clock_mono_ms() < w->followed_ms &&
	       ons_is_command_id(command) && !ons_is(command, w->conn.id) &&
	       !dialin_said_of(&w->conn, command);
}

static void look_at_held(struct agent_wire *w)
{
	w->conn.is_holding = w->held.n_bytes >= HELD_MOST;
	dialin_read_on(&w->conn);
}

static void hold(
    struct agent_wire *w, struct span command, const char *text, size_t len)
{
	if (list_is_empty(&w->held.messages))
		loop_timer_set(w->conn.dock->setup.loop, &w->hold,
		    w->followed_ms - clock_mono_ms());
	dialin_held_add(&w->held, command, text, len);
	look_at_held(w);
}

/* Returns false after a reply. */
static bool read_message(
    struct agent_wire *w, struct ons_message *m, const char *text, size_t len)
{
	switch (ons_message_read(m, &w->reader, text, len)) {
	case ONS_FINE:
		return true;
	case ONS_NOT_JSON:
		refuse(w, "INTERNAL_ERROR", "Failed to process message",
		    "it is not JSON");
		break;
	case ONS_MALFORMED:
		refuse(w, "INVALID_MESSAGE", "Invalid message format",
		    "a message is an object with a type and a payload");
		break;
	}
	return false;
}

/* Turns have come, or none will: take what waited for them, in order. */
static void take_held(struct agent_wire *w)
{
	struct ons_message m;
	list_each_safe(it, &w->held.messages)
	{
		struct dialin_held_one *one =
		    list_entry(it, struct dialin_held_one, link);
		struct span command = {one->command, strlen(one->command)};
		if (may_come(w, command))
			continue;
		if (read_message(w, &m, one->text, one->len))
			handle(w, &m);
		dialin_held_remove(&w->held, one);
	}
	look_at_held(w);
}

static void on_hold_end(void *arg)
{
	take_held(arg);
}

static void on_text(void *arg, const char *text, size_t len)
{
	struct agent_wire *w = arg;
	struct ons_message m;
	if (is_known(w))
		dialin_table_seen(w->conn.dock->table, w->conn.place, NULL);
	if (!read_message(w, &m, text, len))
		return;
	const size_t unread = w->reader.text.len;
	struct span command = ons_text(&w->reader, m.payload, "commandId");
	if (may_come(w, command) || dialin_held_has(&w->held, command)) {
		hold(w, command, text, len);
		return;
	}
	w->reader.text.len = unread; /* its handler reads it once more */
	handle(w, &m);
}

static void on_binary(void *arg)
{
	refuse(arg, "INTERNAL_ERROR", "Failed to process message",
	    "it is not UTF-8");
}

/* ---- orders ---- */

static void send_order(struct agent_wire *w, const struct dialin_order *order)
{
	struct buf id = {0}, out = {0};
	struct span reason = {order->reason, strlen(order->reason)};
	if (order->kind == DIALIN_EMERGENCY_STOP) {
		struct ons_stop stop = {.by = reason, .reason = reason};
		ons_put_stop(&out, new_id(&id), clock_wall_ms(), &stop);
	} else {
		struct ons_control control = {
		    .action = (enum ons_action)order->kind, .reason = reason};
		ons_put_control(&out, new_id(&id), clock_wall_ms(), &control);
	}
	send_and_free(w, &out);
	buf_fini(&id);
	if (order->kind == DIALIN_EMERGENCY_STOP)
		dialin_turn_stop_all(&w->conn);
}

/* The newest connection has gone elsewhere: this one is used again. */
static void fall_back(struct agent_wire *w)
{
	struct dialin_conn *c = &w->conn;
	struct dialin_info info;
	unsigned slot;
	if (dialin_table_is_newest(c->dock->table, c->place, c->connection) ||
	    dialin_table_locate(c->dock->table, c->home, &slot) ||
	    !dialin_table_find(c->dock->table, c->id, strlen(c->id), &info))
		return;
	if (enter(w, &info.who))
		c->dock->setup.on_arrival(c->dock->setup.arg);
}

void dialin_look(struct dialin_dock *d)
{
	struct dialin_order order;
	list_each_safe(it, &d->conns)
	{
		struct agent_wire *w = wire_of(it);
		if (!is_known(w) || !w->conn.wire)
			continue;
		while (dialin_table_take_order(
		    d->table, w->conn.place, w->conn.connection, &order))
			send_order(w, &order);
		if (!d->is_draining)
			fall_back(w);
		if (dialin_table_is_newest(
			d->table, w->conn.place, w->conn.connection))
			w->conn.alias =
			    dialin_table_alias(d->table, w->conn.place);
	}
}

/* ---- the life of a connection ---- */

static void send_ping(struct agent_wire *w)
{
	struct buf id = {0}, out = {0};
	int64_t now = clock_wall_ms();
	ons_begin(&out, ONS_PING, new_id(&id), now);
	ons_put_int(&out, "timestamp", now);
	ons_end(&out);
	send_and_free(w, &out);
	buf_fini(&id);
}

static void on_time(void *arg)
{
	struct agent_wire *w = arg;
	struct dialin_conn *c = &w->conn;
	if (!is_known(w)) {
		refuse(w, "AUTH_TIMEOUT", "Authentication timeout", NULL);
		wire_close(
		    c->wire, WIRE_CLOSE_POLICY, "Authentication timeout");
		return;
	}
	if (dialin_table_is_newest(c->dock->table, c->place, c->connection))
		send_ping(w);
	loop_timer_set(c->dock->setup.loop, &w->timer, PING_MS);
}

static void on_drain(void *arg)
{
	struct agent_wire *w = arg;
	dialin_turn_send_all(&w->conn);
}

static void on_gone(void *arg)
{
	struct agent_wire *w = arg;
	struct dialin_conn *c = &w->conn;
	c->wire = NULL;
	loop_timer_stop(c->dock->setup.loop, &w->timer);
	loop_timer_stop(c->dock->setup.loop, &w->hold);
	loop_later_cancel(&c->send_later);
	dialin_held_fini(&w->held);
	list_remove(&c->link);
	if (is_known(w)) {
		dialin_table_gone(c->dock->table, c->place, c->connection);
		stat_add(dialins, -1);
		log_info("agent=%s: disconnected", c->id);
	}
	dialin_turn_lost(c);
	ons_reader_fini(&w->reader);
	buf_fini(&c->active);
	free(w->token);
	free(w);
}

static const struct wire_handlers wire_handlers = {
    .on_text = on_text,
    .on_binary = on_binary,
    .on_drain = on_drain,
    .on_gone = on_gone,
};

static void send_later(void *arg)
{
	struct agent_wire *w = arg;
	if (!w->conn.wire)
		return;
	dialin_turn_send_all(&w->conn);
	take_held(w);
}

void dialin_serve(struct dialin_dock *d, struct wire *wire, const char *token,
    size_t token_len)
{
	struct agent_wire *w = mem_zero(sizeof *w);
	struct dialin_conn *c = &w->conn;
	c->dock = d;
	c->wire = wire;
	list_init(&c->turns);
	list_append(&d->conns, &c->link);
	loop_later_init(&c->send_later, send_later, w);
	if (token)
		w->token = mem_strndup(token, token_len);
	w->token_len = token_len;
	dialin_held_init(&w->held);
	loop_timer_init(&w->hold, on_hold_end, w);
	loop_timer_init(&w->timer, on_time, w);
	loop_timer_set(d->setup.loop, &w->timer, AUTH_MS);
	wire_take(wire, &wire_handlers, w);
}

void dialin_close_all(struct dialin_dock *d)
{
	list_each(it, &d->conns)
	{
		struct agent_wire *w = wire_of(it);
		if (w->conn.wire)
			wire_close(
			    w->conn.wire, WIRE_CLOSE_AWAY, "server restarts");
	}
}

void dialin_drain(struct dialin_dock *d)
{
	d->is_draining = true;
	dialin_close_all(d);
}
