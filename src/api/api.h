/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef API_API_H
#define API_API_H

/*
 * The HTTP door: /input /sessions /health /livez /readyz /info /docs /metrics
 * and a session's events as SSE (doc/oip.txt 12). While it drains, /readyz says
 * no. close_all ends the event streams and answers the requests that wait for a
 * turn; their clients return with Last-Event-ID or Idempotency-Key.
 */
#include "door/door.h"

extern const struct door api_door;

#endif
