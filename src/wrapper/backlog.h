/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WRAPPER_BACKLOG_H
#define WRAPPER_BACKLOG_H

/*
 * What is on its way to the server: messages in order, each kept until the
 * server has acknowledged it, so that a lost connection loses none of them. The
 * memory is bounded: while it is full, the oldest output is dropped, and where
 * it was, a message says how much is missing. Other messages are never dropped:
 * their adder has to stop in time (backlog_is_full()). No I/O.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct backlog;

/* A piece of output of a command. The texts are valid inside a call only. */
struct backlog_output {
	const char *command_id;
	int64_t sequence;
	bool is_errors;
	const char *text;
	size_t len;
	int64_t dropped_bytes; /* not 0: instead of so much; text is empty */
};

/*
 * Encode a message. id names it for its acknowledgement. Called while something
 * is sent; output is NULL for a message that was added as text.
 */
typedef void backlog_send_fn(void *arg, const char *id,
    const struct backlog_output *output, const char *text, size_t len);

/* Create one with so much room for output. */
struct backlog *backlog_new(size_t max_bytes);

/* Free and null *o. */
void backlog_free(struct backlog **o);

/* Add output, and drop the oldest if there is no room. */
void backlog_add_output(struct backlog *o, const struct backlog_output *output);

/*
 * Add a message, already encoded, with this id; with keep, it stays until it is
 * acknowledged, otherwise until it is sent.
 */
void backlog_add(
    struct backlog *o, const char *id, const char *text, size_t len, bool keep);

/*
 * Send what was not sent, by send(), until at least max_bytes of texts were
 * given to it or nothing is left.
 */
void backlog_send(
    struct backlog *o, size_t max_bytes, backlog_send_fn *send, void *arg);

/* Whether something waits to be sent. */
bool backlog_is_waiting(const struct backlog *o);

/* The server has acknowledged this message and, with it, all before it. */
void backlog_acknowledge(struct backlog *o, const char *id, size_t len);

/* Whether a message with this id waits or is not acknowledged. */
bool backlog_has(const struct backlog *o, const char *id);

/* The connection is lost: what was not acknowledged is to be sent again. */
void backlog_rewind(struct backlog *o);

/*
 * Whether half of the room is in use; or, with by_messages, whether messages that
 * cannot be dropped use so much.
 */
bool backlog_is_full(const struct backlog *o, bool by_messages);

/* Returns how many bytes are kept, with what their storage costs. */
size_t backlog_bytes(const struct backlog *o);

/* Returns how many bytes of output were dropped since the beginning. */
int64_t backlog_dropped(const struct backlog *o);

#endif
