/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef SESSION_WAITING_H
#define SESSION_WAITING_H

/*
 * The inputs that were acknowledged while a turn ran. Each is a fact (a row of
 * TABLE_WAITING, and a claim if it has a name) before its acknowledgement, and
 * stays one until the turn's end, which settles in its own transaction what the
 * agent took up and what an interrupt called off. What is left begins the next
 * turn: the commit that begins it takes the row away. So it is run once, or
 * reported, whoever dies in between.
 */
#include "session/session_int.h"

struct session_call;
struct turn;
struct waiting;

/* What is known of one at the end of its turn. */
enum verdict {
	VERDICT_GIVEN,	 /* the agent was told; it said nothing */
	VERDICT_TAKEN,	 /* the agent took it up: its end is the turn's */
	VERDICT_DROPPED, /* it will not run, and is reported so */
};

/* What a commit is refused with, besides enum claim_found. */
enum {
	WAITING_TOO_LATE = 16, /* to join: no such turn runs */
	WAITING_TOO_MANY,      /* to join: max_waiting */
	WAITING_DAMAGED,       /* to join: what is stored of the session is */
	WAITING_TAKEN,	       /* to begin: another turn did */
	WAITING_UNSETTLED,     /* to begin: the store did not take the end of
				  the turn before; err says so */
};

/*
 * Fill the facts of a commit by which c joins a running turn, under this id
 * (that of its event); is_answer: it answers a question, and ends with the turn
 * in any case.
 */
void waiting_join(struct commit *commit, const struct session_call *c,
    const char *id, bool is_answer);

/*
 * Begin the settlement in the commit that ends a turn with facts; then say each
 * verdict. What was not said stays for the next turn, but for answers.
 */
void waiting_settle(struct commit *commit);
void waiting_say(
    struct commit *commit, enum verdict verdict, const char *id, size_t len);

/* Let the commit that begins a turn take away the row that c was made from. */
void waiting_take(struct commit *commit, const struct session_call *c);

/*
 * The session's oldest input that waits for a turn of its own; it lives in
 * *mem. False when there is none.
 */
bool waiting_first(const struct session *s, struct buf *mem, struct waiting *w);

/* Whether an input waits in this session, in an open transaction on facts. */
bool waiting_is_any(struct store_txn *t, uint64_t number);

/* Call fn for all that were said in turn 'number', answers left out. */
void waiting_each(const struct session *s, uint32_t number,
    void (*fn)(const struct waiting *w, void *arg), void *arg);

/*
 * Look at up to 'most' sessions where something waits, from *cursor (0: from the
 * start) on, until fn returns false; moves *cursor, which is 0 after the last. w
 * is valid inside fn, which must not call the store.
 */
void waiting_look(struct store *store, uint64_t *cursor, unsigned most,
    bool (*fn)(const struct waiting *w, void *arg), void *arg);

#endif
