/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OPENHANDS_OH_CONVERSATION_H
#define OPENHANDS_OH_CONVERSATION_H

/*
 * Ids of conversations. OpenHands writes a UUID as 32 digits, and a session of
 * another protocol may have one with dashes as its id. These clients are shown
 * the digits, and find the session by them.
 */
#include <stdbool.h>
#include <stddef.h>

struct buf;
struct sessions;

/* The longest id of a conversation, in bytes. */
#define OH_CONVERSATION_MAX 100

/*
 * Whether a text may be the id of a conversation: 1 to 100 bytes without control
 * characters, "/", "\" and "..".
 */
bool oh_conversation_is_valid(const char *id, size_t len);

/* What that means, for clients. */
#define OH_CONVERSATION_RULE                                       \
	"it must have 1 to 100 bytes without control characters, " \
	"\"/\", \"\\\" and \"..\""

/* Append a new id. */
void oh_conversation_new(struct buf *out);

/* Append the id of a session as its clients are shown it. */
void oh_conversation_put(struct buf *out, const char *session_id);

/*
 * Change the id of a conversation to that of its session: digits get dashes if
 * only a session with these is stored.
 */
void oh_conversation_find(struct sessions *all, struct buf *id);

#endif
