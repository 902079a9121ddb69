/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef T_UNIT_FAKE_WIRE_H
#define T_UNIT_FAKE_WIRE_H

/*
 * Wires, routes and timers in memory, for tests of doors without a socket. What
 * a door sends is kept until the test takes it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http;
struct wire;

/* A server that knows the route its door mounts. */
struct http *fake_wire_http(void);

/* A client comes to the mounted route; NULL when the door refuses. */
struct wire *fake_wire_open(struct http *http, bool is_handshake);

/* HTTP status the door answered instead, 0 for none. */
int fake_wire_status(void);

/* A wire that nobody serves yet, of a client on this machine. */
struct wire *fake_wire_new(void);

/* The client says this. */
void fake_wire_say(struct wire *w, const char *text);

/* The client says these bytes. */
void fake_wire_say_bytes(struct wire *w, const char *text, size_t len);

/* The client sends a binary message. */
void fake_wire_say_binary(struct wire *w);

/* The next frame the door sent, or NULL; good until the next call. */
const char *fake_wire_next(struct wire *w);

/* Frames sent and not yet taken. */
size_t fake_wire_count(const struct wire *w);

/* The client takes no bytes from now on, or takes them again. */
void fake_wire_stall(struct wire *w, bool is_stalled);

/* Close code the door used, 0 for none. */
int fake_wire_closed(const struct wire *w);

/* The client is gone; frees the wire and nulls *w. */
void fake_wire_gone(struct wire **w);

/* This much time passes. */
void fake_wire_pass_ms(int64_t ms);

#endif
