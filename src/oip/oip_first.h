/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OIP_OIP_FIRST_H
#define OIP_OIP_FIRST_H

/*
 * What a client may send before its CONNECT succeeded. Small messages are taken
 * from anybody. A large one must show in its first 64 KiB that it is of a kind
 * that clients make large: a CONNECT, which brings the conversation, or the
 * INPUT of those that never say CONNECT, which brings files. It does so by its
 * type, or, where members are in another order, by the member that is large.
 */
#include <stdbool.h>
#include <stddef.h>

/* Beside the conversation, a greeting is no larger than this. */
#define OIP_FIRST_BYTES ((size_t)1024 * 1024)

/* For struct wire_handlers; arg is a struct oip_conn. */
size_t oip_first_may_grow(void *arg, const char *text, size_t len);

/* What shows of a frame of which only the beginning is there. */
struct oip_first {
	const char *type; /* NULL: it has not come yet */
	size_t type_len;
	const char *open; /* else the member in which the text ends, or NULL */
	size_t open_len;
};

/* Look at the beginning of a frame. Nothing else of it is checked. */
struct oip_first oip_first_look(const char *text, size_t len);

#endif
