/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WEBSOCKET_WS_HEAD_H
#define WEBSOCKET_WS_HEAD_H

/*
 * The head of an HTTP/1.1 response (RFC 9112 section 4), as far as a client
 * that switches protocols needs it. Pure functions; everything points into the
 * text that was read.
 */
#include "base/span.h"

#include <stddef.h>

/* The largest head that is accepted, in bytes. */
#define WS_HEAD_MAX_BYTES 16384

struct ws_head {
	int status;
	struct span reason;
	struct span fields; /* the lines after the first */
	size_t len;	    /* of the whole head */
};

enum ws_head_result {
	WS_HEAD_MORE, /* it is not complete */
	WS_HEAD_DONE,
	WS_HEAD_BAD, /* no head of HTTP/1.1, or too large */
};

/* Read the head at the beginning of n bytes. */
enum ws_head_result ws_head_read(
    struct ws_head *h, const char *bytes, size_t n);

/*
 * Find a field. Returns how many there are of this name; *value gets the first
 * one's, which is {NULL} if there is none.
 */
size_t ws_head_find(
    const struct ws_head *h, const char *name, struct span *value);

/* Whether one of the fields of this name lists the token. */
bool ws_head_lists(
    const struct ws_head *h, const char *name, const char *token);

#endif
