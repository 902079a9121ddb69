/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef SOCKETIO_EIO_REQUEST_H
#define SOCKETIO_EIO_REQUEST_H

/*
 * HTTP requests of Engine.IO, protocol 4: what their query asks for, and the
 * answers to those that cannot be served. Pure functions; what they return
 * points into the query.
 */
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>

struct buf;

enum eio_transport { EIO_POLLING, EIO_WEBSOCKET };

/* Why a request is refused, in the order of the codes that clients know. */
enum eio_error {
	EIO_TRANSPORT_UNKNOWN,
	EIO_SESSION_UNKNOWN,
	EIO_BAD_METHOD,	 /* the first request of a session is a GET */
	EIO_BAD_REQUEST, /* it does not fit its transport or its session */
	EIO_FORBIDDEN,
	EIO_BAD_VERSION,
	EIO_FINE, /* no error */
};

/* A request, filled in by its HTTP server. */
struct eio_request {
	const char *query; /* after the '?', NUL-terminated */
	bool is_get;
	bool is_websocket; /* it asks for a WebSocket */
};

/* What it asks for. */
struct eio_wish {
	enum eio_transport transport;
	struct span sid; /* as it came, not decoded; absent: a new session */
};

/*
 * Find a parameter of a query. Returns its first value as it came, not decoded
 * (base/percent.h), or {NULL}. Keys are compared as they came.
 */
struct span eio_query_find(const char *query, const char *key);

/*
 * Read what a request asks for. A request without "transport" asks for what it
 * is. Returns EIO_FINE, or why it is refused; whether there is a session of
 * this sid, and whether it has this transport, is the caller's to check.
 */
enum eio_error eio_request_read(
    struct eio_wish *wish, const struct eio_request *request);

/* Returns the HTTP status for an error: 403 or 400. */
int eio_error_status(enum eio_error error);

/* Append the body for an error, {"code":N,"message":"..."}. */
void eio_put_error(struct buf *out, enum eio_error error);

#endif
