/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "oip/oip_socket.h"

#include "access/access.h"
#include "core/conf.h"
#include "core/err.h"
#include "core/stat.h"
#include "door/reply.h"
#include "limits/limits.h"
#include "net/http.h"
#include "net/ws.h"
#include "oip/oip_carrier.h"
#include "oip/oip_conn.h"

#define MEBIBYTE ((int64_t)1024 * 1024)

/*
 * The maximum number of fragments of a message: a large upload in 4 KiB pieces
 * fits.
 */
#define MAX_FRAGMENTS 65536

#define MILLISECONDS 1000

static bool is_closing;

/* ---- the upgrade ---- */

static struct wire *accept_wire(struct http_req *req, const struct conf *conf)
{
	struct ws_limits limits = {
	    .max_message_bytes = oip_socket_max_message(conf),
	    .max_fragments = MAX_FRAGMENTS,
	    .max_output_bytes = (size_t)conf->output_limit,
	    .stall_timeout_ms = conf->slow_reader_timeout * MILLISECONDS,
	    .message_timeout_ms = conf->request_timeout * MILLISECONDS,
	    .slow_readers_total = &stat_mine()->slow_readers,
	    .oversized_total = &stat_mine()->oversized,
	};

	return ws_accept(req, &limits);
}

/* Count the socket of a client that is being accepted. */
static int hold_socket(const struct door_setup *setup,
    const struct http_req *req, struct limits_held *held, struct err *err)
{
	struct limits_who who = {
	    .peer = http_peer(req),
	    .peer_is_loopback = http_peer_is_loopback(req),
	};

	return limits_hold(setup->limits, LIMITS_SOCKETS, &who, held, err);
}

static void on_upgrade(struct http_req *req, void *arg)
{
	const struct door_setup *setup = arg;
	struct limits_held held = {0};
	struct err err;

	if (!ws_is_handshake(req))
		ws_refuse(req);
	else if (is_closing)
		http_reply_error(req, 503, err_text(ERR_DRAINING));
	else if (hold_socket(setup, req, &held, &err) != 0)
		reply_err(req, &err);
	else
		oip_serve(setup, accept_wire(req, setup->conf), &held);
}

static void mount(struct http *http, const struct door_setup *setup)
{
	union {
		const struct door_setup *setup;
		void *arg;
	} u = {.setup = setup};

	http_route(http, "WEBSOCKET", "/ws", on_upgrade, u.arg);
}

/* ---- the end ---- */

static void end_if_blocked(struct oip_conn *c)
{
	const char *address = c->caller.address;

	if (!*address || !access_is_blocked(c->setup->access, address))
		return;
	oip_conn_error(c, DOOR_BLOCKED);
	wire_close(c->wire, WIRE_CLOSE_POLICY, DOOR_BLOCKED);
}

static void oip_socket_end_blocked(void)
{
	oip_conn_each(end_if_blocked);
}

static void close_one(struct oip_conn *c)
{
	wire_close(c->wire, WIRE_CLOSE_RESTART, "server restarts");
}

static void oip_socket_close_all(void)
{
	is_closing = true;
	oip_conn_each(close_one);
}

/*
 * All files and images of one request at their limits, in base64; and base64
 * once more, since the message may be sealed.
 */
size_t oip_socket_max_message(const struct conf *conf)
{
	int64_t ceiling = conf->max_body * MEBIBYTE;
	int64_t files = conf->max_file_size * conf->max_files_per_request;
	int64_t clear = files * 2 * MEBIBYTE / 3 * 4 + 16 * MEBIBYTE;
	int64_t bytes = clear / 3 * 4;

	return (size_t)(bytes < ceiling ? bytes : ceiling);
}

static const char *const sockets[] = {"/ws", NULL};

const struct door oip_door = {
    .id = DOOR_CONNECTONION,
    .sockets = sockets,
    .mount = mount,
    .end_blocked = oip_socket_end_blocked,
    .close_all = oip_socket_close_all,
};
