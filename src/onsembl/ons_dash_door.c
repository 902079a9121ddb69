/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "onsembl/ons_dash_door.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/conf.h"
#include "core/err.h"
#include "core/stat.h"
#include "dialin/dialin_dock.h"
#include "dialin/dialin_table.h"
#include "door/door.h"
#include "net/http.h"
#include "net/ws.h"
#include "onsembl/ons_agents.h"
#include "onsembl/ons_dash.h"
#include "onsembl/ons_dash_command.h"
#include "onsembl/ons_dash_in.h"
#include "onsembl/ons_monitor.h"
#include "onsembl/ons_shown.h"
#include "onsembl/ons_withdrawn.h"

#include <stdlib.h>
#include <string.h>

/* A dashboard has this long to show a token. */
#define AUTH_MS 30000

/* Pages close a connection that brings them no message for 30 s. */
#define PING_MS 20000

/*
 * A page whose socket is open and that answers no ping may believe that it is
 * not: a close other than 1000 makes it come back.
 */
#define MAX_UNANSWERED 3

/* How often agents are looked at; a new one is told of within 200 ms. */
#define LOOK_MS 100

/* A token is replaced when it is good for no longer than this, by one for: */
#define REFRESH_S 300
#define FRESH_S 3600

#define MAX_FRAGMENTS 65536
#define MILLISECONDS 1000

static struct list dashes = {&dashes, &dashes};
static const struct door_setup *setup;
static struct ons_token_keys *keys;
static struct loop_timer look_timer;
static bool is_closing;

/* ---- a dashboard ---- */

static void on_text(void *arg, const char *text, size_t len)
{
	struct ons_dash *d = arg;
	d->n_unanswered = 0;
	if (!d->is_over)
		ons_dash_in(d, text, len);
}

/* It is not UTF-8: other binary messages are text (on_text). */
static void on_binary(void *arg)
{
	struct ons_dash *d = arg;
	d->n_unanswered = 0;
	if (!d->is_over)
		ons_dash_error(
		    d, "INTERNAL_ERROR", "Failed to process message");
}

static void on_drain(void *arg)
{
	ons_dash_command_pump(arg);
}

static void on_gone(void *arg)
{
	struct ons_dash *d = arg;
	d->is_over = true;
	stat_add(onsembl_dashboards, -1);
	loop_timer_stop(setup->loop, &d->beat);
	ons_dash_command_forget(d);
	limits_drop(setup->limits, &d->held);
	ons_wants_fini(&d->wants);
	ons_reader_fini(&d->reader);
	list_remove(&d->link);
	free(d->refusal);
	free(d);
}

static const struct wire_handlers handlers = {
    .on_text = on_text,
    .on_binary = on_binary,
    .on_drain = on_drain,
    .on_gone = on_gone,
};

static void send_ping(struct ons_dash *d)
{
	struct buf out = {0};
	ons_dash_begin(&out, ONS_PING);
	ons_put_int(&out, "timestamp", clock_wall_ms());
	ons_end(&out);
	ons_dash_send(d, &out);
}

/* A token that ends soon is replaced by one of the same user. */
static void refresh_token(struct ons_dash *d)
{
	struct buf out = {0}, token = {0};
	struct err err;
	int64_t now_s = clock_wall_ms() / MILLISECONDS;
	struct ons_claims claims = d->claims;
	if (claims.expires_s - now_s > REFRESH_S || !ons_token_can_make(keys))
		return;
	claims.expires_s = now_s + FRESH_S;
	if (ons_token_make(keys, &claims, &token, &err) == 0) {
		ons_dash_begin(&out, ONS_TOKEN_REFRESH);
		ons_put_text(
		    &out, "accessToken", (struct span){token.data, token.len});
		ons_put_int(&out, "expiresIn", FRESH_S);
		ons_end(&out);
		ons_dash_send(d, &out);
		d->claims = claims;
	}
	buf_fini(&token);
}

static void on_beat(void *arg)
{
	struct ons_dash *d = arg;
	if (d->is_over)
		return;
	if (!d->is_known) {
		ons_dash_error(d, "AUTH_TIMEOUT", "Authentication timeout");
		ons_dash_close(d, WIRE_CLOSE_POLICY, "Authentication timeout");
		return;
	}
	if (d->n_unanswered++ == MAX_UNANSWERED) {
		ons_dash_close(d, WIRE_CLOSE_AWAY, "no answer to PING");
		return;
	}
	ons_dash_command_expire(d, clock_mono_ms());
	refresh_token(d);
	send_ping(d);
	loop_timer_set(setup->loop, &d->beat, PING_MS);
}

/* ---- changes of agents ---- */

/* What dashboards were told of an agent. */
struct told {
	uint8_t status;
	uint32_t queue;	 /* checksum */
	uint32_t record; /* the same, of what lists say of it */
	char id[ONS_MAX_ID + 1];
};

/* All of them; replaced by each look. */
static struct told *told;
static size_t n_told;
static uint64_t told_version;

struct look {
	bool is_quiet; /* nobody is told */
	struct told *now;
	size_t n;
	size_t room;
	size_t n_seen; /* of them, when dashboards are told */
};

/* The search begins at i: mostly, agents are where they were in the last look. */
static const struct told *find_told(
    const struct told *all, size_t n, size_t i, const char *id)
{
	for (size_t k = 0; k < n; k++) {
		const struct told *t = &all[(i + k) % n];
		if (strcmp(t->id, id) == 0)
			return t;
	}
	return NULL;
}

static void tell_new(const struct ons_agent *a)
{
	list_each(it, &dashes)
	{
		struct ons_dash *d = list_entry(it, struct ons_dash, link);
		struct buf out = {0};
		if (!ons_dash_watches(d, a))
			continue;
		ons_dash_begin(&out, ONS_AGENT_CONNECTED);
		ons_agent_put_connected(&out, a, clock_wall_ms());
		ons_end(&out);
		ons_dash_send(d, &out);
	}
}

static void tell_gone(const struct ons_agent *a)
{
	list_each(it, &dashes)
	{
		struct ons_dash *d = list_entry(it, struct ons_dash, link);
		struct buf out = {0};
		if (!ons_dash_watches(d, a))
			continue;
		ons_dash_begin(&out, ONS_AGENT_DISCONNECT);
		ons_put_str(&out, "agentId", a->id);
		ons_put_str(&out, "reason", "Connection lost");
		ons_put_int(&out, "timestamp", clock_wall_ms());
		ons_end(&out);
		ons_dash_send(d, &out);
	}
}

/* Whether an agent of these states was away, and is here. */
static bool is_arrival(uint8_t before, uint8_t now)
{
	return before == ONS_IS_DISCONNECTED && now != ONS_IS_DISCONNECTED;
}

static void tell_status(const struct ons_agent *a)
{
	list_each(it, &dashes)
	{
		struct ons_dash *d = list_entry(it, struct ons_dash, link);
		if (ons_dash_watches(d, a))
			ons_dash_tell_status(d, a);
	}
}

static void tell_queue(const struct ons_agent *a)
{
	list_each(it, &dashes)
	{
		struct ons_dash *d = list_entry(it, struct ons_dash, link);
		struct buf out = {0};
		if (!ons_dash_watches(d, a))
			continue;
		ons_dash_begin(&out, ONS_QUEUE_UPDATE);
		ons_put_str(&out, "agentId", a->id);
		ons_put_int(&out, "queueSize", (int64_t)a->queue->n);
		ons_dash_command_put_queue(&out, d, a->queue);
		ons_end(&out);
		ons_dash_send(d, &out);
	}
}

static uint32_t queue_of(const struct ons_agent *a)
{
	return a->queue ? enc_crc32c(0, a->queue, sizeof *a->queue) : 0;
}

static uint32_t record_of(const struct ons_agent *a)
{
	uint32_t sum = enc_crc32c(0, a->name, strlen(a->name));
	sum = enc_crc32c(sum, a->type, strlen(a->type));
	sum = enc_crc32c(sum, a->version, strlen(a->version));
	return enc_crc32c(sum, a->capabilities, strlen(a->capabilities));
}

static bool has_come(const struct told *before, const struct told *now)
{
	return is_arrival(
	    before ? before->status : ONS_IS_DISCONNECTED, now->status);
}

/* Those that may see the agent need the list of all once more. */
static void ask_for_lists(const struct ons_agent *a)
{
	list_each(it, &dashes)
	{
		struct ons_dash *d = list_entry(it, struct ons_dash, link);
		d->needs_list |= ons_dash_watches(d, a);
	}
}

static void note_agent(const struct ons_agent *a, void *arg)
{
	struct look *l = arg;
	const struct told *before = find_told(told, n_told, l->n, a->id);
	if (l->n == l->room) {
		l->room = l->room ? 2 * l->room : 16;
		l->now = mem_realloc(l->now, l->room * sizeof *l->now);
	}
	struct told *t = &l->now[l->n++];
	*t = (struct told){
	    .status = (uint8_t)a->status,
	    .queue = queue_of(a),
	    .record = record_of(a),
	};
	strncpy(t->id, a->id, sizeof t->id - 1);
	/* Announced while it is away; here; or its record was changed. */
	if (!l->is_quiet &&
	    (!before || has_come(before, t) || before->record != t->record))
		ask_for_lists(a);
}

/*
 * One list for all changes of a look: it is long if there are many agents, and
 * when a worker has died, many come back at once.
 */
static void give_lists(void)
{
	list_each(it, &dashes)
	{
		struct ons_dash *d = list_entry(it, struct ons_dash, link);
		if (d->needs_list)
			ons_dash_list_agents(d);
		d->needs_list = false;
	}
}

/* After the lists, since pages know no agent that is in none. */
static void tell_change(const struct ons_agent *a, void *arg)
{
	struct look *l = arg;
	const struct told *t = find_told(l->now, l->n, l->n_seen, a->id);
	const struct told *before = find_told(told, n_told, l->n_seen, a->id);
	l->n_seen++;
	if (!t)
		return; /* it has come since then: the next look finds it */
	if (has_come(before, t))
		tell_new(a);
	else if (before && before->record == t->record &&
		 (before->status != t->status || before->queue != t->queue))
		tell_status(a);
	if (before && before->queue != t->queue)
		tell_queue(a);
	if (before && is_arrival(t->status, before->status))
		tell_gone(a);
}

static void look_at_all(bool is_quiet)
{
	struct look l = {.is_quiet = is_quiet};
	told_version = ons_agents_version(setup);
	ons_agents_each(setup, note_agent, &l);
	if (!is_quiet) {
		give_lists();
		ons_agents_each(setup, tell_change, &l);
	}
	free(told);
	told = l.now;
	n_told = l.n;
}

/* The first dashboard comes; it is given the list itself. */
static void begin_looking(void)
{
	look_at_all(true);
	if (setup->dock)
		ons_monitor_skip(setup->dock->monitor);
}

static void look(void *arg)
{
	(void)arg;
	loop_timer_set(setup->loop, &look_timer, LOOK_MS);
	if (list_is_empty(&dashes))
		return;
	if (ons_agents_version(setup) != told_version)
		look_at_all(false);
	if (setup->dock)
		ons_monitor_look(setup->dock->monitor, &dashes);
}

/* ---- the upgrade ---- */

static struct wire *accept_wire(struct http_req *req)
{
	const struct conf *conf = setup->conf;
	const struct ws_limits limits = {
	    .max_message_bytes = ONS_MAX_MESSAGE,
	    .max_fragments = MAX_FRAGMENTS,
	    .max_output_bytes = (size_t)conf->output_limit,
	    .stall_timeout_ms = conf->slow_reader_timeout * MILLISECONDS,
	    .message_timeout_ms = conf->request_timeout * MILLISECONDS,
	    .takes_binary = true,
	    .slow_readers_total = &stat_mine()->slow_readers,
	    .oversized_total = &stat_mine()->oversized,
	};
	return ws_accept(req, &limits);
}

static struct ons_dash *accept_dash(struct http_req *req)
{
	struct ons_dash *d = mem_zero(sizeof *d);
	d->setup = setup;
	d->keys = keys;
	list_init(&d->commands);
	ons_dash_make_id(d->id, "dashboard");
	loop_timer_init(&d->beat, on_beat, d);
	list_append(&dashes, &d->link);
	d->wire = accept_wire(req);
	d->wire->is_admitted = true; /* messages have one small limit for all */
	wire_take(d->wire, &handlers, d);
	stat_add(onsembl_dashboards, 1);
	return d;
}

static int hold_socket(
    const struct http_req *req, struct limits_held *held, struct err *err)
{
	const struct limits_who who = {
	    .peer = http_peer(req),
	    .peer_is_loopback = http_peer_is_loopback(req),
	};
	return limits_hold(setup->limits, LIMITS_SOCKETS, &who, held, err);
}

/*
 * An upgrade that is refused silences the pages for good, and ends agents: so
 * what cannot be served is accepted and closed, and comes back.
 */
static void on_upgrade(struct http_req *req, void *arg)
{
	struct limits_held held = {0};
	struct err err;
	(void)arg;
	if (!ws_is_handshake(req)) {
		ws_refuse(req);
		return;
	}
	if (list_is_empty(&dashes))
		begin_looking();
	bool has_room = hold_socket(req, &held, &err) == 0;
	char *token = ons_shown_token(req);
	struct ons_dash *d = accept_dash(req);
	d->held = held;
	if (is_closing || !has_room) {
		ons_dash_close(d, WIRE_CLOSE_AWAY,
		    has_room ? "server restarts" : "too many sockets");
	} else {
		ons_dash_in_token(d, token, token ? strlen(token) : 0);
		loop_timer_set(
		    setup->loop, &d->beat, d->is_known ? PING_MS : AUTH_MS);
	}
	free(token);
}

/* ---- the door ---- */

static void mount(struct http *http, const struct door_setup *s)
{
	struct err err;
	setup = s;
	keys = ons_token_open(s->conf, &err);
	if (!keys)
		fatal("%s", err.text);
	ons_withdrawn_watch(keys, s);
	http_route(http, "WEBSOCKET", "/ws/dashboard", on_upgrade, NULL);
	/* Pages of all origins may: what opens it is a token, not a place. */
	if (s->conf->onsembl_auth)
		http_open_path(http, "/ws/dashboard", HTTP_OPEN_TO_ALL);
	loop_timer_init(&look_timer, look, NULL);
	loop_timer_set(s->loop, &look_timer, LOOK_MS);
}

static void close_all(void)
{
	is_closing = true;
	list_each(it, &dashes)
	    ons_dash_close(list_entry(it, struct ons_dash, link),
		WIRE_CLOSE_AWAY, "server restarts");
}

static const char *const sockets[] = {"/ws/dashboard", NULL};

const struct door ons_dash_door = {
    .id = DOOR_ONSEMBL,
    .sockets = sockets,
    .mount = mount,
    .close_all = close_all,
};
