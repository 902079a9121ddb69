/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DOOR_OIP_IN_H
#define DOOR_OIP_IN_H

/*
 * The ConnectOnion door (doc/oip.txt), inwards: GET /ws becomes a wire, its
 * frames become session calls. One command table; no socket and no h2o here.
 */
#include "door/door.h"

struct http;

/* Serve /ws; setup must outlive the server. */
void oip_mount(struct http *http, const struct door_setup *setup);

/* Tell every client of this door that the server restarts (close 1012). */
void oip_close_all(void);

#endif
