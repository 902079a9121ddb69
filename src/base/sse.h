/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BASE_SSE_H
#define BASE_SSE_H

/*
 * A reader of event streams (text/event-stream, WHATWG HTML section 9.2.6). It
 * is fed bytes as they come and calls back with each event. Lines end with LF,
 * CR LF or CR; comments are skipped. id and retry_ms are those that count for a
 * reconnection after the last event; an event without data may set them, too.
 *
 * One deviation: an event that the stream's end left without its blank line is
 * delivered, since some servers close the connection early.
 *
 * The struct lives in its owner's memory: {.max_bytes = n, .fn, .arg}, any
 * number of sse_feed(), sse_end(), sse_fini().
 */
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Receives an event; name is "" if it has none. Both are valid inside the
 * callback only. Returns whether to go on. It must not feed the reader.
 */
typedef bool sse_fn(void *arg, const char *name, const char *data, size_t len);

/* The maximum length of an id; a longer one is ignored. */
#define SSE_MAX_ID 1024

struct sse {
	size_t max_bytes; /* of one event; longer ones are refused */
	sse_fn *fn;
	void *arg;
	struct buf id;	  /* of the last event; empty: none */
	int64_t retry_ms; /* before a reconnection; 0: not said */
	/* Private. */
	struct buf next_id;
	struct buf line;
	struct buf name;
	struct buf data;
	bool has_data;
	bool is_begun;	  /* the byte order mark has been looked for */
	bool is_after_cr; /* an LF that comes next belongs to it */
};

/* Why sse_feed() and sse_end() returned. */
enum sse_result {
	SSE_FED,
	SSE_STOPPED,  /* fn returned false; the rest is not read */
	SSE_TOO_LONG, /* an event has more than max_bytes */
};

/* Read n more bytes. */
enum sse_result sse_feed(struct sse *s, const char *bytes, size_t n);

/* The stream has ended. */
enum sse_result sse_end(struct sse *s);

/* Free what the reader holds. */
void sse_fini(struct sse *s);

#endif
