/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OIP_OIP_FIRST_H
#define OIP_OIP_FIRST_H

/*
 * What a client may send before its CONNECT has succeeded. Small messages are
 * accepted from anybody. A large message must show within its first 64 KiB that
 * it is of a kind that clients make large: a CONNECT, which contains the
 * conversation, or an INPUT of a client that sends no CONNECT, which contains
 * files. It shows this by its type or, if its members are in another order, by
 * the large member itself.
 */
#include <stdbool.h>
#include <stddef.h>

struct conf;

/* The largest size of a greeting, not counting its conversation. */
#define OIP_FIRST_BYTES ((size_t)1024 * 1024)

/*
 * Returns the largest message of which a client may need the whole to be
 * admitted: a sealed CONNECT with its conversation.
 */
size_t oip_first_max(const struct conf *conf);

/* The may_grow of struct wire_handlers; arg is a struct oip_conn. */
size_t oip_first_may_grow(void *arg, const char *text, size_t len);

/* What the beginning of a frame shows. */
struct oip_first {
	const char *type; /* NULL: not seen yet */
	size_t type_len;
	const char *open; /* else the member cut off at the end, or NULL */
	size_t open_len;
};

/* Examine the beginning of a frame. The frame is not validated. */
struct oip_first oip_first_look(const char *text, size_t len);

#endif
