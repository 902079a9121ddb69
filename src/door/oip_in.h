/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DOOR_OIP_IN_H
#define DOOR_OIP_IN_H

/*
 * The ConnectOnion door (doc/oip.txt), inwards: GET /ws becomes a wire, its
 * frames become session calls. One command table; no socket and no h2o here.
 */
#include <stddef.h>

#include "door/door.h"

struct http;
struct oip_conn;
struct wire;

/* Serve /ws; setup must outlive the server. */
void oip_mount(struct http *http, const struct door_setup *setup);

/* A whole message, in clear: taken now, or after those that wait. */
void oip_in_message(struct oip_conn *c, const char *text, size_t len);

/* A message of a client, as if it came now; c must not wait for a verdict. */
void oip_in_text(struct oip_conn *c, const char *text, size_t len);

/* Tell every client of this door that the server restarts (close 1012). */
void oip_close_all(void);

#endif
