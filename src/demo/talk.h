/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DEMO_TALK_H
#define DEMO_TALK_H

/*
 * A talk is the conversation of one demo session as a turn sees it: the JSON
 * object it was given, what this turn adds, and the object that it returns,
 * which is bounded in messages, trace entries and bytes. It lives in the turn;
 * the given text must outlive it.
 */
#include "base/buf.h"
#include "base/json.h"
#include "core/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The maximum number of messages and trace entries that are returned. */
#define TALK_MESSAGES 40
#define TALK_TRACE 100

/* A conversation; lives in its turn. */
struct talk {
	const char *given;
	size_t given_len;
	size_t max_bytes; /* of what is returned, roughly */
	bool is_parsed;
	struct json_doc doc;
	struct buf scratch;
	struct buf messages; /* this turn's user messages: JSON, with commas */
	size_t n_messages;
	struct buf trace; /* this turn's entries, JSON, comma separated */
	size_t n_trace;
};

/* What a turn adds besides messages and trace. */
struct talk_turn {
	const char *session_id;
	uint32_t client_turn;
	const char *prompt;
	size_t prompt_len;
	const char *result;
	size_t result_len;
	const char *answer_id; /* id of the stored answer */
	int64_t now_us;	       /* wall clock */
};

/* Start with the conversation so far, a JSON object or nothing. */
void talk_init(struct talk *k, const char *given, size_t len, size_t max_bytes);

/* Free the contents. */
void talk_fini(struct talk *k);

/*
 * Returns the newest text of this role ("user", "assistant") for which fits
 * returns true, *len bytes, valid until the next call; NULL if there is none.
 */
const char *talk_find(struct talk *k, const char *role,
    bool (*fits)(const char *text, size_t len), size_t *len);

/* Add a message of the user in this turn (long texts are cut). */
void talk_heard(struct talk *k, const char *text, size_t len);

/* Add an event of this turn to the trace (long bodies are left out). */
void talk_note(struct talk *k, const char *id, size_t id_len,
    enum event_type type, int64_t time_us, const char *body, size_t body_len);

/* Append the conversation as it is after the turn, a JSON object. */
void talk_render(struct talk *k, const struct talk_turn *turn, struct buf *out);

#endif
