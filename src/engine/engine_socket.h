/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ENGINE_ENGINE_SOCKET_H
#define ENGINE_ENGINE_SOCKET_H

/* Private to engine/: the WebSockets. */
#include "base/span.h"

struct engine_side;
struct http_req;
struct limits_held;

/*
 * Accept a WebSocket. Without a sid ({NULL}) it begins a session; otherwise it
 * may become the transport of that one. Ends the request, and takes what was
 * counted for it.
 */
void engine_socket_accept(
    struct http_req *req, struct span sid, const struct limits_held *held);

/* Close all. */
void engine_socket_close_all(void);

/* Call fn for the side of each WebSocket. */
void engine_socket_each(void (*fn)(struct engine_side *side));

#endif
