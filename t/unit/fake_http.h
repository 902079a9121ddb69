/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef T_UNIT_FAKE_HTTP_H
#define T_UNIT_FAKE_HTTP_H

/*
 * The server side of net/http.h and the timers of net/loop.h in memory, for
 * tests of the HTTP door: no socket. The test sends a request and looks at what
 * came back.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct http;
struct http_req;

/* What came back so far. */
struct fake_reply {
	int status; /* 0: nothing yet */
	bool is_ended;
	bool is_stream;
	struct buf type;
	struct buf headers; /* "name: value\n" each */
	struct buf body;
};

/* A server without routes. */
struct http *fake_http_new(void);

/* Free it and null *h; its requests are freed by fake_http_free(). */
void fake_http_end(struct http **h);

/*
 * Send a request; headers is "name: value\n" for each, lower-case, or "". It
 * lives until fake_http_free().
 */
struct http_req *fake_http_send(struct http *h, const char *method,
    const char *target, const char *headers, const char *body);

/* What came back; its bufs end in NUL after buf_cstr(). */
struct fake_reply *fake_http_reply(struct http_req *req);

/* The client leaves. */
void fake_http_leave(struct http_req *req);

/*
 * The client reads nothing from now on, or takes all that waits and reads
 * again.
 */
void fake_http_stall(struct http_req *req, bool is_stalled);

/* Free the request and null *req. */
void fake_http_free(struct http_req **req);

/* Whether the peer of the requests to come is loopback (true at first). */
void fake_http_loopback(bool is_loopback);

/* Fire the timers that are due within this time, in no order. */
void fake_http_pass(long ms);

#endif
