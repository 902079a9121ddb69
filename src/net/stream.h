/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef NET_STREAM_H
#define NET_STREAM_H

/*
 * A stream is a pipe or socket pair to another process: incoming bytes are
 * delivered by callback, outgoing bytes go through a bounded queue. It owns its
 * descriptors. Callbacks may close the stream. Loop's thread only.
 */
#include <stdbool.h>
#include <stddef.h>

struct loop;
struct stream;

struct stream_handlers {
	/* Bytes came; they are valid during the call only. */
	void (*on_data)(void *arg, const char *data, size_t len);
	/*
	 * The peer closed its end, or the descriptor failed; called once, last.
	 */
	void (*on_end)(void *arg);
	/* Everything queued has been written; may be NULL. */
	void (*on_drain)(void *arg);
};

/*
 * Take ownership of in_fd (to read; -1: none) and out_fd (to write; -1: none;
 * may equal in_fd). Never returns NULL.
 */
struct stream *stream_open(struct loop *l, int in_fd, int out_fd,
    const struct stream_handlers *handlers, void *arg);

/*
 * Queue n bytes. Returns false, with nothing queued, if more than limit bytes
 * would be waiting.
 */
bool stream_write(struct stream *s, const void *p, size_t n, size_t limit);

/* Returns how many queued bytes the peer has not taken yet. */
size_t stream_waiting(const struct stream *s);

/* Stop or resume reading; both are idempotent. */
void stream_pause(struct stream *s, bool is_paused);

/*
 * Deliver what has already come, up to 64 KiB, by on_data() inside this call;
 * for an owner who is about to close the stream. Does nothing while it is
 * paused. The end of the stream is left to the loop.
 */
void stream_take(struct stream *s);

/* Close our writing end once the queue has been written (the peer sees EOF). */
void stream_finish(struct stream *s);

/*
 * Close at once, discard the queue, free, and set *s to NULL. No callback
 * follows.
 */
void stream_close(struct stream **s);

#endif
