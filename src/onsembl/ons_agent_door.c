/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "onsembl/ons_agent_door.h"

#include "base/log.h"
#include "core/conf.h"
#include "core/err.h"
#include "core/msg.h"
#include "core/stat.h"
#include "dialin/dialin_conn.h"
#include "dialin/dialin_dock.h"
#include "door/door.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/ws.h"
#include "onsembl/ons_shown.h"
#include "onsembl/ons_token.h"
#include "onsembl/ons_withdrawn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FRAGMENTS 65536
#define MILLISECONDS 1000

/* How often the dock looks for orders and connections that it has missed. */
#define LOOK_MS 1000

static const struct door_setup *setup;
static struct ons_token_keys *keys;
static struct loop_timer look_timer;

/* ---- tokens ---- */

static const char *verify(void *arg, const char *text, size_t len,
    struct dialin_who *who, struct err *err)
{
	struct ons_claims claims;
	(void)arg;
	if (ons_token_verify(keys, text, len, &claims, err) != 0)
		return ons_token_refusal(err, text != NULL);
	(void)snprintf(who->user, sizeof who->user, "%s", claims.user);
	(void)snprintf(who->org, sizeof who->org, "%s", claims.org);
	return NULL;
}

/* ---- the upgrade ---- */

static struct wire *accept_wire(struct http_req *req)
{
	const struct conf *conf = setup->conf;
	const struct ws_limits limits = {
	    .max_message_bytes = DIALIN_MAX_MESSAGE,
	    .max_fragments = MAX_FRAGMENTS,
	    .max_output_bytes = (size_t)conf->output_limit,
	    .stall_timeout_ms = conf->slow_reader_timeout * MILLISECONDS,
	    .message_timeout_ms = conf->request_timeout * MILLISECONDS,
	    .silence_timeout_ms = DIALIN_SILENCE_MS,
	    .takes_binary = true,
	    .silent_total = &stat_mine()->dialin_silent,
	    .slow_readers_total = &stat_mine()->slow_readers,
	    .oversized_total = &stat_mine()->oversized,
	};
	struct wire *wire = ws_accept(req, &limits);
	wire->is_admitted = true; /* its messages have one limit */
	return wire;
}

static void on_upgrade(struct http_req *req, void *arg)
{
	(void)arg;
	if (!ws_is_handshake(req)) {
		ws_refuse(req);
		return;
	}
	/* The request is gone after the handshake. */
	char *token = ons_shown_token(req);
	struct wire *wire = accept_wire(req);
	dialin_serve(setup->dock, wire, token, token ? strlen(token) : 0);
	free(token);
}

/* ---- the door ---- */

static void look(void *arg)
{
	(void)arg;
	loop_timer_set(setup->loop, &look_timer, LOOK_MS);
	dialin_look(setup->dock);
}

static void mount(struct http *http, const struct door_setup *s)
{
	struct err err;
	setup = s;
	keys = ons_token_open(s->conf, &err);
	if (!keys)
		fatal("%s", err.text);
	ons_withdrawn_watch(keys, s);
	dialin_dock_verify_by(s->dock, verify, NULL);
	http_route(http, "WEBSOCKET", "/ws/agent", on_upgrade, NULL);
	loop_timer_init(&look_timer, look, NULL);
	loop_timer_set(s->loop, &look_timer, LOOK_MS);
}

static void receive(const struct msg *m)
{
	if (m->type == MSG_ORDER)
		dialin_look(setup->dock);
}

static void drain(void)
{
	dialin_drain(setup->dock);
}

static void close_all(void)
{
	dialin_close_all(setup->dock);
}

static const char *const sockets[] = {"/ws/agent", NULL};

const struct door ons_agent_door = {
    .id = DOOR_ONSEMBL,
    .sockets = sockets,
    .mount = mount,
    .drain = drain,
    .receive = receive,
    .close_all = close_all,
};
