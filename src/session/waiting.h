/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef SESSION_WAITING_H
#define SESSION_WAITING_H

/*
 * Inputs that were acknowledged while a turn ran. Each is a fact (a row of
 * TABLE_WAITING, and a claim if it has a name) before it is acknowledged. The
 * end of the turn settles, in its own transaction, those that the agent took up
 * and those that an interrupt cancelled. The others remain, and the oldest
 * begins the next turn: the commit that begins it removes the row. So each is
 * run once, or reported, whichever process dies in between.
 */
#include "session/session_int.h"

struct session_call;
struct turn;
struct waiting;

/* What is known about one at the end of its turn. */
enum verdict {
	VERDICT_GIVEN,	 /* the agent got it, and did not respond to it */
	VERDICT_TAKEN,	 /* the agent took it up: it ends with the turn */
	VERDICT_DROPPED, /* it will not run, and is reported as such */
};

/* Reasons for which a commit is refused, besides enum claim_found. */
enum {
	WAITING_TOO_LATE = 16, /* to join: no such turn runs */
	WAITING_TOO_MANY,      /* to join: max_waiting */
	WAITING_DAMAGED,       /* to join: the session's record is damaged */
	WAITING_TAKEN,	       /* to begin: another turn has begun with it */
	WAITING_UNSETTLED, /* to begin: facts lack the previous end; see err */
};

/*
 * Fill the facts of a commit by which c joins a running turn, under this id
 * (that of its event). is_answer: it answers a question, and in any case ends
 * with the turn.
 */
void waiting_join(struct commit *commit, const struct session_call *c,
    const char *id, bool is_answer);

/*
 * Begin the settlement in the commit that ends a turn with facts; then add each
 * verdict. Inputs without a verdict remain for the next turn, except answers.
 */
void waiting_settle(struct commit *commit);
void waiting_say(
    struct commit *commit, enum verdict verdict, const char *id, size_t len);

/* Let the commit that begins a turn remove the row from which c was made. */
void waiting_take(struct commit *commit, const struct session_call *c);

/*
 * Get the session's oldest input that waits for a turn of its own; its strings
 * are in *mem. Returns false if there is none.
 */
bool waiting_first(const struct session *s, struct buf *mem, struct waiting *w);

/* Whether an input waits in this session, in an open transaction on facts. */
bool waiting_is_any(struct store_txn *t, uint64_t number);

/* Call fn for all inputs that joined turn 'number', except answers. */
void waiting_each(const struct session *s, uint32_t number,
    void (*fn)(const struct waiting *w, void *arg), void *arg);

/*
 * Examine up to 'most' sessions with waiting inputs, from *cursor (0: the
 * start) on, until fn returns false. Moves *cursor, which is 0 after the last
 * one. w is valid only inside fn, which must not call the store.
 */
void waiting_look(struct store *store, uint64_t *cursor, unsigned most,
    bool (*fn)(const struct waiting *w, void *arg), void *arg);

#endif
