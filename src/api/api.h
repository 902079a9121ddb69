/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef API_API_H
#define API_API_H

/*
 * HTTP (doc/oip.txt 12). The door has /input, /sessions, a session's events as
 * SSE, the page and the agent's own routes. Its close_all ends the event streams
 * and answers the requests that wait for a turn; their clients return with
 * Last-Event-ID or Idempotency-Key.
 *
 * What belongs to the server is beside it, and on whatever the doors are:
 * /health /livez /readyz /info /metrics and /admin. While it drains, /readyz
 * says no. Mount it first.
 */
#include "door/door.h"

extern const struct door api_server;
extern const struct door api_door;

#endif
