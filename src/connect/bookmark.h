/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CONNECT_BOOKMARK_H
#define CONNECT_BOOKMARK_H

/*
 * A bookmark is where a conversation stands: its session's id, the newest event
 * that was seen, and the session as the agent's host gave it last. It is sent in
 * each CONNECT, and can be saved. Pure functions.
 *
 * A host sends only the events after the one that a client names. A client that
 * comes back without having heard an open question must therefore name the event
 * before the question, or it would never be asked.
 */
#include "base/buf.h"

#include <stdbool.h>

struct json;

/* {0} is the beginning of a new conversation. */
struct bookmark {
	struct buf session_id; /* this and the next have a NUL that len omits */
	struct buf last_event_id;
	struct buf session;   /* a JSON object; empty: none */
	bool is_asked;	      /* the agent may still wait for an answer */
	bool is_answered;     /* it was sent, but may not have arrived */
	struct buf before_id; /* is_asked: the event before the question */
};

/* Free what it owns; it is then {0}. */
void bookmark_fini(struct bookmark *b);

/* Returns the part as a C string; "" if it is not known. */
const char *bookmark_text(const struct buf *part);

/* Set a part to a text; NULL: to nothing. */
void bookmark_set(struct buf *part, const char *text);

/* Set a part to the text of a member, if that is a string. */
void bookmark_set_string(struct buf *part, const struct json *v);

/* Set the session to what a frame has, if that is an object. */
void bookmark_set_session(struct bookmark *b, const struct json *v);

/*
 * Keep the token that makes an unsigned caller the holder of its session, until
 * there is a session that has it.
 */
void bookmark_set_continuation(struct bookmark *b, const struct json *v);

/*
 * Note an event by its id (NULL: it has none). Each event after the answer to
 * the open question shows that the agent has it.
 */
void bookmark_note(struct bookmark *b, const struct json *id, bool is_question);

/* The open question, if there is one, was answered or interrupted. */
void bookmark_note_answer(struct bookmark *b);

/* The turn has ended, and its questions with it. */
void bookmark_note_end(struct bookmark *b);

/*
 * Returns the id of the event to come back to: the newest one, or that before
 * an open question; "" if there is none.
 */
const char *bookmark_resume_id(const struct bookmark *b);

/* Append all of it as a JSON object, with the event to come back to. */
void bookmark_save(const struct bookmark *b, struct buf *out);

/* Read what bookmark_save() wrote; returns false if it is something else. */
bool bookmark_load(struct bookmark *b, const char *text);

#endif
