/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ENGINE_ENGINE_POLL_H
#define ENGINE_ENGINE_POLL_H

/* Private to engine/: the requests of clients that poll. Each ends its req. */
#include "base/span.h"
#include "engine/engine_table.h"
#include "socketio/eio_request.h"

#include <stddef.h>

struct http_req;

/* The largest packet from a client, and the largest body. */
#define ENGINE_MAX_PAYLOAD ((size_t)4 * 1024 * 1024)

/* Reply with an error of Engine.IO. */
void engine_poll_refuse(struct http_req *req, enum eio_error error);

/* Reply that a session could not be taken (*found of engine_take()). */
void engine_poll_refuse_found(struct http_req *req, enum engine_found found);

/* A GET without a sid begins a session. */
void engine_poll_begin(struct http_req *req);

/* A GET with a sid asks for packets, and waits until there are some. */
void engine_poll_get(struct http_req *req, struct span sid);

/* A POST with a sid brings packets. */
void engine_poll_post(struct http_req *req, struct span sid);

#endif
