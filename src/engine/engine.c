/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "engine/engine.h"

#include "base/log.h"
#include "core/err.h"
#include "door/door.h"
#include "door/reply.h"
#include "door/request_limit.h"
#include "engine/engine_poll.h"
#include "engine/engine_side.h"
#include "engine/engine_socket.h"
#include "limits/limits.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/ws.h"

#include <string.h>

/*
 * How often sides look for what they were not told. If there are too many for
 * one tick, the rest have their turns soon after.
 */
#define LOOK_MS 250
#define LOOK_ON_MS 5

static struct loop_timer look;

static void on_look(void *arg)
{
	(void)arg;
	bool has_more = engine_side_look();
	loop_timer_set(engine_side_world()->setup->loop, &look,
	    has_more ? LOOK_ON_MS : LOOK_MS);
}

/* ---- requests ---- */

static bool may_ask(struct http_req *req)
{
	struct err err;
	if (request_limit_count(req, engine_side_world()->setup, &err) == 0)
		return true;
	reply_err(req, &err);
	return false;
}

static void on_request(struct http_req *req, void *arg)
{
	(void)arg;
	const struct eio_request request = {
	    .query = http_query(req),
	    .is_get = strcmp(http_method(req), "GET") == 0,
	};
	struct eio_wish wish;
	if (!may_ask(req))
		return;
	enum eio_error error = eio_request_read(&wish, &request);
	if (http_is_head(req)) /* nothing may be taken from the queue */
		error = EIO_BAD_REQUEST;
	if (error != EIO_FINE)
		engine_poll_refuse(req, error);
	else if (!request.is_get)
		engine_poll_post(req, wish.sid);
	else if (wish.sid.text)
		engine_poll_get(req, wish.sid);
	else
		engine_poll_begin(req);
}

static void on_websocket(struct http_req *req, void *arg)
{
	(void)arg;
	const struct eio_request request = {
	    .query = http_query(req), .is_get = true, .is_websocket = true};
	const struct limits_who who = {
	    .peer = http_peer(req),
	    .peer_is_loopback = http_peer_is_loopback(req),
	};
	struct limits_held held = {0};
	struct eio_wish wish;
	struct err err;
	enum eio_error error = eio_request_read(&wish, &request);
	if (!ws_is_handshake(req))
		ws_refuse(req);
	else if (error != EIO_FINE)
		engine_poll_refuse(req, error);
	else if (engine_side_world()->is_closing)
		http_reply_error(req, 503, err_text(ERR_DRAINING));
	else if (!may_ask(req))
		return;
	else if (limits_hold(engine_side_world()->setup->limits, LIMITS_SOCKETS,
		     &who, &held, &err) != 0)
		reply_err(req, &err);
	else
		engine_socket_accept(req, wish.sid, &held);
}

void engine_mount(struct http *http, const struct door_setup *setup,
    const struct engine_user *user)
{
	static const char *const paths[] = {"/socket.io/", "/socket.io"};
	if (user->state_bytes > ENGINE_USER_BYTES)
		panic("engine: a state of %zu bytes has no room",
		    user->state_bytes);
	engine_side_world()->setup = setup;
	engine_side_world()->user = user;
	engine_side_world()->table = setup->engines;
	list_init(&engine_side_world()->lookers);
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		http_route(http, "GET", paths[i], on_request, NULL);
		http_route(http, "POST", paths[i], on_request, NULL);
		http_route(http, "WEBSOCKET", paths[i], on_websocket, NULL);
	}
	loop_timer_init(&look, on_look, NULL);
	loop_timer_set(setup->loop, &look, LOOK_MS);
}

void engine_each(void (*fn)(struct engine_side *side))
{
	engine_socket_each(fn);
	list_each_safe(it, &engine_side_world()->lookers)
	{
		struct engine_side *side =
		    list_entry(it, struct engine_side, link);
		if (!side->ops->hold) /* no socket: it was not called yet */
			fn(side);
	}
}

void engine_close_all(void)
{
	engine_side_world()->is_closing = true;
	engine_socket_close_all();
	list_each_safe(it, &engine_side_world()->lookers)
	{
		struct engine_side *side =
		    list_entry(it, struct engine_side, link);
		side->ops->end(side);
	}
}
