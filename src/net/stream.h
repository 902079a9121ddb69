/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef NET_STREAM_H
#define NET_STREAM_H

/*
 * A stream is a pipe or socket pair to another process: bytes in by callback,
 * bytes out through a bounded queue. It owns its descriptors. Callbacks may
 * close it.
 */
#include <stdbool.h>
#include <stddef.h>

struct loop;
struct stream;

struct stream_handlers {
	/* Bytes came; they are gone after the call. */
	void (*on_data)(void *arg, const char *data, size_t len);
	/*
	 * The peer closed its end, or the descriptor failed; called once, last.
	 */
	void (*on_end)(void *arg);
	/* What was queued has been written; may be NULL. */
	void (*on_drain)(void *arg);
};

/*
 * Take over in_fd (to read; -1: none) and
 * out_fd (to write; -1: none; may be equal).
 */
struct stream *stream_open(struct loop *l, int in_fd, int out_fd,
    const struct stream_handlers *handlers, void *arg);

/*
 * Queue n bytes; false, with nothing queued, when more than limit would wait.
 */
bool stream_write(struct stream *s, const void *p, size_t n, size_t limit);

/* Stop or go on reading (both idempotent). */
void stream_pause(struct stream *s, bool is_paused);

/* Close our writing end after what is queued has gone (the peer sees EOF). */
void stream_finish(struct stream *s);

/* Close at once, drop what is queued, free, null *s. No callback follows. */
void stream_close(struct stream **s);

#endif
