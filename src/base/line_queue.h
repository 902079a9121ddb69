/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BASE_LINE_QUEUE_H
#define BASE_LINE_QUEUE_H

/*
 * Lines of text from a stream of bytes, with a maximum length. No I/O. A queue
 * lives in its owner: line_init(), any number of line_lend() or line_feed() and
 * line_next(), line_fini().
 */
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* Bytes received and not yet processed; lives in its owner. */
struct line_queue {
	struct buf own;	  /* copied */
	size_t taken;	  /* bytes of own already returned as lines */
	size_t scanned;	  /* bytes of own known to have no newline */
	const char *lent; /* what follows it, in the memory of a caller */
	size_t n_lent;
	size_t max;	  /* the longest line, in bytes */
	bool is_skipping; /* the rest of a line that was too long */
};

/* The state of the queue after line_next(). */
enum line_state {
	LINE_NONE, /* incomplete: feed more bytes */
	LINE_WHOLE,
	LINE_TOO_LONG, /* the text is its beginning; the rest is skipped */
};

/* Initialise an empty queue. */
void line_init(struct line_queue *q, size_t max);

/* Free the contents. */
void line_fini(struct line_queue *q);

/*
 * Append received bytes without copying them: they must stay where they are
 * until line_keep(), which copies those that no line has taken.
 */
void line_lend(struct line_queue *q, const char *data, size_t len);
void line_keep(struct line_queue *q);

/* Append a copy of received bytes. */
void line_feed(struct line_queue *q, const char *data, size_t len);

/* Get the next line, without its newline, valid until the next call. */
enum line_state line_next(struct line_queue *q, const char **text, size_t *len);

#endif
