/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "relay/relay_clients.h"

#include "base/clock.h"
#include "base/mem.h"
#include "core/session_id.h"
#include "limits/quota.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/wire.h"
#include "relay/dock.h"
#include "relay/proof.h"
#include "relay/relay_int.h"
#include "relay/relay_stat.h"
#include "relay/tunnel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How long a client may stay without a first frame. */
#define SILENT_MS 30000

/* How often a client that waits for its agent looks for it. */
#define LOOK_MS 50

#define MEGABYTE ((size_t)1024 * 1024)
#define HOUR_MS 3600000

enum client_state {
	CLIENT_NEW,	/* no frame came */
	CLIENT_HELD,	/* its agent may return */
	CLIENT_MOVING,	/* to another worker, at the end of this tick */
	CLIENT_PROVING, /* that it may take a session over */
	CLIENT_BOUND,
	CLIENT_LEAVING, /* it was refused or orphaned */
};

struct client {
	struct tunnel_client tunnel; /* first */
	struct list link;
	enum client_state state;
	bool starts;	 /* the next part is the first of a frame */
	unsigned moves;	 /* between workers */
	unsigned target; /* the slot to move to */
	struct loop_later later;
	struct loop_timer timer;
	int64_t deadline_ms;  /* of the hold */
	int64_t frames_at_us; /* when its frames so far are paid for */
	char to[ADDRESS_SIZE];
	uint8_t key[32];
	char wanted[TUNNEL_SESSION_ID + 1]; /* the session it named, or "" */
	struct proof *proof;	   /* of who it is; NULL: none is being made */
	char proven[ADDRESS_SIZE]; /* who signed its CONNECT, or "" */
	bool is_judged;		   /* that was or is being found out */
};

static struct {
	struct relay *relay;
	struct list all;
} clients;

static const char away[] = "Agent not connected: ";

/* ---- the end of a client ---- */

static void client_set_state(struct client *c, enum client_state state)
{
	relay_stat_add(
	    held, (state == CLIENT_HELD) - (c->state == CLIENT_HELD));
	c->state = state;
}

static void client_free(struct client *c)
{
	client_set_state(c, CLIENT_LEAVING);
	list_remove(&c->link);
	loop_later_cancel(&c->later);
	loop_timer_stop(clients.relay->loop, &c->timer);
	proof_forget(&c->proof);
	unfinished_release(&c->tunnel.share);
	buf_fini(&c->tunnel.kept);
	relay_stat_add(clients, -1);
	free(c);
}

/* It need not answer the close for its agent to be told. */
static void leave(struct client *c)
{
	client_set_state(c, CLIENT_LEAVING);
	if (c->tunnel.agent)
		tunnel_unbind(&c->tunnel);
}

/* Tell it why, and close. Nothing that it says is heard any more. */
static void refuse(struct client *c, int code, const char *text)
{
	leave(c);
	relay_say_error(c->tunnel.wire, text, NULL);
	wire_close(c->tunnel.wire, code, text);
}

static void refuse_frame(struct client *c, int code, const char *text)
{
	relay_stat_add(bad_client_frames, 1);
	refuse(c, code, text);
}

static void refuse_away(struct client *c)
{
	char text[sizeof away + ADDRESS_SIZE];
	(void)snprintf(text, sizeof text, "%s%s", away, c->to);
	relay_stat_add(away, 1);
	refuse(c, WIRE_CLOSE_AWAY, text);
}

/* ---- binding ---- */

static void refuse_long(struct client *c)
{
	refuse_frame(
	    c, WIRE_CLOSE_TOO_BIG, "Frame too long: this agent takes 1 MiB");
}

/* Send its first frame, and hear the next ones. */
static void begin(struct client *c)
{
	if (!tunnel_takes(&c->tunnel, c->tunnel.kept.len)) {
		refuse_long(c);
		return;
	}
	struct buf first = c->tunnel.kept;
	c->tunnel.kept = (struct buf){0};
	unfinished_release(&c->tunnel.share);
	client_set_state(c, CLIENT_BOUND);
	loop_timer_stop(clients.relay->loop, &c->timer);
	tunnel_from_client(&c->tunnel, &first);
	tunnel_pause(&c->tunnel, TUNNEL_WAITS_ROUTE, false);
}

static bool is_type(const struct client *c, const char *type)
{
	const char *its = scan_text(&c->tunnel.scan, SCAN_TYPE);
	return its && strcmp(its, type) == 0;
}

static void bind(struct client *c, struct tunnel_agent *a, const char *session)
{
	tunnel_bind(&c->tunnel, a, session);
	/* Its answers would name the routing id, which the client cannot know. */
	if (!a->has_conn_id && is_type(c, "SESSION_STATUS"))
		proof_asked(c->tunnel.asked, &c->tunnel.kept);
	begin(c);
}

static void on_proven(void *arg, const char *signer);

/* Find out who a client is: it may want a session now, or another later. */
static void prove(struct client *c)
{
	if (is_type(c, "CONNECT") && !c->is_judged)
		c->proof = proof_begin(
		    clients.relay->crew, &c->tunnel.kept, c->to, on_proven, c);
	c->is_judged = true;
}

/*
 * The routing id of a session that is in use goes to another socket only if the
 * same key signed for both.
 */
static void take_over(struct client *c, struct client *holder)
{
	struct tunnel_agent *a = holder->tunnel.agent;
	if (!*c->proven || strcmp(c->proven, holder->proven) != 0) {
		relay_stat_add(not_taken_over, 1);
		bind(c, a, NULL);
		return;
	}
	relay_stat_add(taken_over, 1);
	tunnel_replace(&holder->tunnel);
	client_set_state(holder, CLIENT_LEAVING);
	wire_close(holder->tunnel.wire, 4000, "another socket continues");
	bind(c, a, c->wanted);
}

/* For agents without conn_id, the routing id is the session. */
static void bind_by_session(struct client *c, struct tunnel_agent *a)
{
	bool may_name = is_type(c, "CONNECT") || is_type(c, "INPUT");
	struct tunnel_client *holder =
	    may_name && *c->wanted ? tunnel_holder(a, c->wanted) : NULL;
	prove(c);
	if (holder && c->proof) {
		client_set_state(c, CLIENT_PROVING);
		return;
	}
	if (holder)
		take_over(c, (struct client *)holder);
	else
		bind(c, a, may_name && *c->wanted ? c->wanted : NULL);
}

static void bind_here(struct client *c, struct tunnel_agent *a)
{
	if ((int64_t)a->n_clients >= clients.relay->conf->max_clients) {
		relay_stat_add(limited_sockets, 1);
		refuse(c, WIRE_CLOSE_TRY_AGAIN,
		    "The agent has too many clients (max_clients)");
		return;
	}
	if (a->has_conn_id)
		bind(c, a, *c->wanted ? c->wanted : NULL);
	else
		bind_by_session(c, a);
}

/* ---- finding the agent ---- */

static void client_on_later(void *arg)
{
	struct client *c = arg;
	struct dock_load load = {.moves = c->moves + 1};
	if (c->state != CLIENT_MOVING)
		return;
	if (!ws_detach(c->tunnel.wire, &load.parcel)) {
		relay_stat_add(move_failed, 1);
		refuse(c, WIRE_CLOSE_TRY_AGAIN, "The relay is busy; try again");
		return;
	}
	load.first = c->tunnel.kept;
	c->tunnel.kept = (struct buf){0};
	dock_send(clients.relay->dock, c->target, &load);
	client_free(c);
}

static void move(struct client *c, unsigned slot)
{
	client_set_state(c, CLIENT_MOVING);
	c->target = slot;
	/* Its handler may be running, so not now. */
	loop_later_ask(clients.relay->loop, &c->later);
}

/* Whether an agent that is away may be about to come. */
static bool may_come(const struct roster_found *found)
{
	int64_t up_ms =
	    clock_boot_ms() - clients.relay->heritage->started_boot_ms;
	bool was_here = found->left_ms &&
			clock_mono_ms() - found->left_ms <= RELAY_RECENT_MS;
	return was_here || up_ms <= RELAY_RECENT_MS;
}

static void hold(struct client *c, const struct roster_found *found)
{
	int64_t now_ms = clock_mono_ms();
	if (!c->deadline_ms) {
		if (!may_come(found)) {
			refuse_away(c);
			return;
		}
		c->deadline_ms =
		    now_ms + clients.relay->conf->hold_timeout * 1000;
	}
	if (now_ms >= c->deadline_ms) {
		refuse_away(c);
		return;
	}
	client_set_state(c, CLIENT_HELD);
	loop_timer_set(clients.relay->loop, &c->timer, LOOK_MS);
}

static void route(struct client *c)
{
	struct relay *r = clients.relay;
	struct roster_found found;
	struct tunnel_agent *a = NULL;
	if (r->is_leaving) {
		leave(c);
		wire_close(
		    c->tunnel.wire, WIRE_CLOSE_RESTART, "the relay restarts");
		return;
	}
	(void)roster_find(r->roster, c->key, NULL, &found);
	if (found.n_live && found.slot == r->slot)
		a = tunnel_find(found.entry.socket);
	if (a)
		bind_here(c, a);
	else if (found.n_live && found.slot != r->slot && c->moves < DOCK_MOVES)
		move(c, found.slot);
	else
		hold(c, &found);
}

/* Called once: who signed its CONNECT, "" if nobody is known to have. */
static void on_proven(void *arg, const char *signer)
{
	struct client *c = arg;
	c->proof = NULL;
	(void)snprintf(c->proven, sizeof c->proven, "%s", signer);
	if (c->state == CLIENT_PROVING)
		route(c);
}

/* ---- frames ---- */

/* Returns why a frame may not reach an agent, or NULL. */
static const char *fault_of(const struct client *c)
{
	static const char *const refused[] = {
	    "close", "ANNOUNCE", "ANNOUNCE_OK", "ERROR"};
	const char *type = scan_text(&c->tunnel.scan, SCAN_TYPE);
	if (!type || !*type)
		return "Missing field: type";
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		if (strcmp(type, refused[i]) == 0)
			return "Clients may not send frames of this type";
	return NULL;
}

/* Read whom the first frame is for. Returns what is wrong with it, or NULL. */
static const char *read_first(struct client *c)
{
	const struct scan *s = &c->tunnel.scan;
	const struct scan_text *to = &s->texts[SCAN_TO];
	const struct scan_text *session = &s->texts[SCAN_SESSION_ID];
	if (!to->is_there)
		return "Missing field: to";
	if (!address_parse(to->text, to->len, c->to))
		return "Invalid field: to must be 0x and 64 hex digits";
	address_key(c->to, c->key);
	/* As for a host, an empty one is none. */
	if (!session->is_there || !session->len)
		return NULL;
	if (session->is_long ||
	    !session_id_is_valid(session->text, session->len))
		return "Invalid field: session_id must be 1 to 256 bytes "
		       "without control characters";
	memcpy(c->wanted, session->text, session->len + 1);
	return NULL;
}

static void take_first(struct client *c, struct buf *text)
{
	const char *fault = read_first(c);
	if (fault) {
		refuse_frame(c, WIRE_CLOSE_POLICY, fault);
		return;
	}
	tunnel_pause(&c->tunnel, TUNNEL_WAITS_ROUTE, true);
	if (tunnel_keep(&c->tunnel, text))
		route(c);
	else
		refuse(c, WIRE_CLOSE_TRY_AGAIN, "The relay has no memory left");
}

/* Whether the client has sent too much in an hour. */
static bool is_over_bytes(const struct client *c, size_t len)
{
	const struct relay *r = clients.relay;
	struct quota q = {.burst = r->conf->limit_bytes, .period_ms = HOUR_MS};
	if (!q.burst)
		return false;
	q.burst *= (int64_t)MEGABYTE;
	return !quota_take(r->heritage, QUOTA_FRAME_BYTES,
	    c->tunnel.wire->place, &q, (int64_t)len, NULL);
}

/* Frames that come too fast are read later, not refused. */
static void slow_down(struct client *c)
{
	int64_t limit = clients.relay->conf->limit_frames;
	int64_t now_us = clock_mono_us();
	if (!limit)
		return;
	if (c->frames_at_us < now_us)
		c->frames_at_us = now_us;
	c->frames_at_us += (int64_t)60000000 / limit;
	/* A minute's frames may come at once. */
	int64_t wait_us = c->frames_at_us - now_us - 60000000;
	if (wait_us <= 0)
		return;
	relay_stat_add(frames_limited, 1);
	tunnel_pause(&c->tunnel, TUNNEL_WAITS_TURN, true);
	loop_timer_set(clients.relay->loop, &c->timer, (wait_us + 999) / 1000);
}

static void take_frame(struct client *c, struct buf *text)
{
	const char *fault = fault_of(c);
	if (fault) {
		refuse_frame(c, WIRE_CLOSE_POLICY, fault);
		return;
	}
	/* An agent's link cannot bear a PING, and the relay needs none. */
	if (is_type(c, "PING"))
		return;
	if (is_over_bytes(c, text->len)) {
		relay_stat_add(limited_bytes, 1);
		refuse(c, WIRE_CLOSE_POLICY, "Rate limit exceeded");
		return;
	}
	if (c->state == CLIENT_NEW) {
		take_first(c, text);
		return;
	}
	if (!tunnel_takes(&c->tunnel, text->len)) {
		refuse_long(c);
		return;
	}
	tunnel_from_client(&c->tunnel, text);
	slow_down(c);
}

static void on_part(void *arg, const char *part, size_t len)
{
	struct client *c = arg;
	if (c->starts)
		scan_begin(&c->tunnel.scan);
	c->starts = false;
	(void)scan_feed(&c->tunnel.scan, part, len);
}

static void on_message(void *arg, struct buf *text)
{
	struct client *c = arg;
	char why[100];
	if (c->starts)
		scan_begin(&c->tunnel.scan); /* an empty text has no parts */
	c->starts = true;
	if (c->state == CLIENT_BOUND ? !c->tunnel.agent
				     : c->state != CLIENT_NEW)
		return; /* it is leaving, or its agent has left */
	if (scan_end(&c->tunnel.scan)) {
		take_frame(c, text);
		return;
	}
	(void)snprintf(
	    why, sizeof why, "Invalid frame: %s", c->tunnel.scan.why);
	refuse_frame(c, WIRE_CLOSE_BAD_TEXT, why);
}

static void client_on_binary(void *arg)
{
	refuse_frame(arg, WIRE_CLOSE_POLICY, "Frames must be text");
}

static void client_on_drain(void *arg)
{
	(void)arg; /* an agent is not held up by one client */
}

static void client_on_gone(void *arg)
{
	struct client *c = arg;
	if (c->tunnel.agent)
		tunnel_unbind(&c->tunnel);
	client_free(c);
}

static const struct wire_handlers handlers = {
    .on_part = on_part,
    .on_message = on_message,
    .on_binary = client_on_binary,
    .on_drain = client_on_drain,
    .on_gone = client_on_gone,
};

/* What the timer is for depends on the state. */
static void client_on_time(void *arg)
{
	struct client *c = arg;
	if (c->state == CLIENT_NEW)
		refuse(c, WIRE_CLOSE_POLICY, "No frame came for 30 s");
	else if (c->state == CLIENT_HELD)
		route(c);
	else if (c->state == CLIENT_BOUND)
		tunnel_pause(&c->tunnel, TUNNEL_WAITS_TURN, false);
}

/* ---- beginnings ---- */

void relay_clients_init(struct relay *r)
{
	clients.relay = r;
	list_init(&clients.all);
}

static struct client *client_new(struct wire *w)
{
	struct client *c = mem_zero(sizeof *c);
	tunnel_client_init(&c->tunnel, w);
	c->starts = true;
	list_append(&clients.all, &c->link);
	loop_later_init(&c->later, client_on_later, c);
	loop_timer_init(&c->timer, client_on_time, c);
	loop_timer_set(clients.relay->loop, &c->timer, SILENT_MS);
	relay_stat_add(clients, 1);
	wire_take(w, &handlers, c);
	return c;
}

void relay_clients_accept(struct http_req *req)
{
	struct relay *r = clients.relay;
	struct wire *w = relay_accept(r, req, &r->client_limits);
	if (w)
		(void)client_new(w);
}

void relay_clients_arrive(const struct msg *m, const int *fds, size_t n_fds)
{
	struct relay *r = clients.relay;
	struct dock_load load;
	if (!dock_receive(&load, m, fds, n_fds))
		return;
	struct client *c =
	    client_new(ws_attach(r->http, &load.parcel, &r->client_limits));
	c->moves = load.moves;
	(void)scan_feed(&c->tunnel.scan, load.first.data, load.first.len);
	(void)scan_end(&c->tunnel.scan);
	take_first(c, &load.first);
	dock_load_fini(&load);
}

void relay_clients_close_all(void)
{
	list_each(it, &clients.all)
	{
		struct client *c = list_entry(it, struct client, link);
		wire_close(
		    c->tunnel.wire, WIRE_CLOSE_RESTART, "the relay restarts");
	}
}
