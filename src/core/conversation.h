/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_CONVERSATION_H
#define CORE_CONVERSATION_H

/*
 * The conversation of a session as a JSON object: session_id, messages, trace,
 * turn, iteration, updated, user_prompt, result and any other member, which is
 * kept (doc/oip.txt 11). Pure functions that append to a buf.
 */
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json;

/*
 * Append the newer of a client's and the server's conversation (either may be
 * empty, len 0) to *out, with session_id set to id and the server's own keys
 * taken from the server's copy. The higher iteration wins, then the higher
 * updated; if all are equal, the server's. Returns whether the server's was
 * newer. A client's messages with role system or internal are dropped unless
 * the server has the same message.
 */
bool conversation_merge(struct buf *out, const char *client, size_t client_len,
    const char *server, size_t server_len, const char *id);

/*
 * Append a conversation ('talk', may be empty) with one member set to JSON
 * text.
 */
void conversation_set(struct buf *out, const char *talk, size_t len,
    const char *name, const struct buf *value);

/* Append a conversation without one member. */
void conversation_unset(
    struct buf *out, const char *talk, size_t len, const char *name);

/* Returns the conversation's "turn", or 0 if it has none. */
uint32_t conversation_turn(const char *talk, size_t len);

/*
 * The modes of a session: how far the agent may act without approval (spec
 * 2.9.6).
 */
#define CONVERSATION_AUTO "auto"
#define CONVERSATION_READ_ONLY "read-only"
#define CONVERSATION_FULL_ACCESS "full-access"

/*
 * Returns the mode of a conversation, one of the words above; talk may be NULL.
 * It is auto without a mode, with an unknown one, and in full-access without a
 * number of remaining turns. *turns_left becomes this number, and 0 in other
 * modes.
 */
const char *conversation_mode(const struct json *talk, int64_t *turns_left);

/* A completed turn. */
struct conversation_turn {
	const char *id;
	const char *prompt;
	size_t prompt_len;
	const char *images; /* JSON array */
	size_t images_len;
	const char *result; /* NULL: the turn failed */
	size_t result_len;
	uint32_t turn;
	int64_t now_ms;
};

/*
 * Append the conversation after a turn: the messages of 'before' plus the
 * prompt and the result, with the keys of the turn updated.
 */
void conversation_add(struct buf *out, const char *before, size_t len,
    const struct conversation_turn *turn);

/*
 * Append the agent's own version of the conversation ('session', a JSON object)
 * with session_id, turn, user_prompt, result and updated as the server knows
 * them.
 */
void conversation_adopt(struct buf *out, const char *session, size_t len,
    const struct conversation_turn *turn);

#endif
