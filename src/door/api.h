/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DOOR_API_H
#define DOOR_API_H

/*
 * The HTTP door: /input /sessions /health /livez /readyz /info /docs /metrics
 * and a session's events as SSE (doc/oip.txt 12).
 */
#include "door/door.h"

struct http;

/* Add the routes; setup must outlive the server. */
void api_mount(struct http *http, const struct door_setup *setup);

/* From now on /readyz says no. */
void api_drain(void);

/*
 * This process leaves: end the event streams and answer those who wait for a
 * turn that the server restarts. Their turns go on elsewhere; clients come back
 * with Last-Event-ID or Idempotency-Key.
 */
void api_close_all(void);

#endif
