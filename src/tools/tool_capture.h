/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef TOOLS_TOOL_CAPTURE_H
#define TOOLS_TOOL_CAPTURE_H

/*
 * A capture keeps the head and the tail of a stream of bytes, in memory of a
 * fixed size, however long the stream is. It lives in its owner; {0} with the
 * sizes set is an empty one.
 */
#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

struct tool_capture {
	size_t head_max; /* bytes kept from the beginning */
	size_t tail_max; /* bytes kept from the end */
	uint64_t total;	 /* bytes that came */
	struct buf head;
	struct buf tail; /* up to twice tail_max, so that it moves rarely */
};

/* Take bytes of the stream. */
void tool_capture_add(struct tool_capture *c, const char *data, size_t len);

/*
 * Append what was kept, as valid UTF-8 and without white space at its end. If
 * anything is missing, a line in its place says how many bytes.
 */
void tool_capture_put(struct buf *out, const struct tool_capture *c);

/* Free what it keeps. */
void tool_capture_fini(struct tool_capture *c);

#endif
