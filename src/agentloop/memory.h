/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENTLOOP_MEMORY_H
#define AGENTLOOP_MEMORY_H

/*
 * What the model remembers: the messages of a conversation in the form of
 * model/codec.h, and beside them the trace of what happened (doc/oip.txt 11). It
 * begins with the conversation before the turn, grows by what the turn adds, and
 * becomes the conversation after it. Nothing here knows models or events.
 *
 * The struct lives in its owner's memory: memory_init(), memory_fini(). The text
 * given to memory_init() must outlive it.
 */
#include "base/buf.h"
#include "base/json.h"

#include <stddef.h>
#include <stdint.h>

struct memory {
	struct json_doc doc;
	const struct json *given; /* the conversation before the turn */
	size_t max_bytes;	  /* of the conversation after it */
	struct buf messages;	  /* objects, with a comma behind each */
	struct buf trace;	  /* the same; of this turn only */
	struct buf grants;	  /* permissions given, members of an object */
};

/* Begin with a conversation, a JSON object. */
void memory_init(
    struct memory *m, const char *given, size_t len, size_t max_bytes);

/* Free the contents. */
void memory_fini(struct memory *m);

/* Add what the user said; images is a JSON array of data URLs ("": none). */
void memory_add_user(struct memory *m, const char *text, size_t len,
    const char *images, size_t images_len);

/*
 * Add what the model said; calls is a JSON array as a message has it, "[]" or ""
 * for none. Nothing is added if there is neither text nor a call.
 */
void memory_add_answer(struct memory *m, const char *text, size_t len,
    const char *calls, size_t calls_len);

/* Add the result of a call. */
void memory_add_result(
    struct memory *m, const char *call_id, const char *text, size_t len);

/* Let a summary stand for all messages. */
void memory_replace(struct memory *m, const char *summary, size_t len);

/* Append all messages, a JSON array. */
void memory_put_messages(const struct memory *m, struct buf *out);

/*
 * Append the messages as one text, long ones cut; the oldest are left out when
 * it has more than max_bytes.
 */
void memory_put_transcript(
    const struct memory *m, struct buf *out, size_t max_bytes);

/* Returns about how many tokens the messages have. */
int64_t memory_tokens(const struct memory *m);

/*
 * Add an entry to the trace: the name of its type, the id, and the members of
 * its body (core/event.h); an entry that is too long is left out.
 */
void memory_note(struct memory *m, const char *type, const char *id,
    size_t id_len, int64_t time_us, const char *body, size_t len);

/*
 * A person has granted this, a tool or "Bash(COMMAND)", for as long as the
 * session lasts.
 */
void memory_grant(struct memory *m, const char *what);

/* Whether it was granted, in this turn or before. */
bool memory_is_granted(const struct memory *m, const char *what);

/* Append the conversation after the turn, a JSON object. */
void memory_render(const struct memory *m, struct buf *out);

#endif
