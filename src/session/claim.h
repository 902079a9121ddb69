/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef SESSION_CLAIM_H
#define SESSION_CLAIM_H

/*
 * A claim is the stored trace of an input with a name (input_id): a row that
 * says what became of it, so that the same input does not run twice. It is
 * written in the transaction of the input itself, and again with the end of its
 * turn.
 */
#include "store/store.h"

#include <stdint.h>

struct claim;
struct commit;
struct session_call;
struct session_input;

/* The result of a search for a claim. */
enum claim_found {
	CLAIM_UNUSED,	/* the name was not used here, or long ago */
	CLAIM_REPEATED, /* it was used for the same input */
	CLAIM_REUSED,	/* it was used for another input */
	CLAIM_DAMAGED,	/* it was used, and the result is unreadable */
};

/*
 * Name the input of a call: by what was said, and by the scope in which the
 * name counts. The scope of a name is the caller in the session that it named
 * (anonymous: the session); without a session, only the caller (anonymous: one
 * place in the network). An input that named no session gets a second name in
 * the session that it was given, under which it is found when its client
 * returns.
 */
void claim_name(struct session_call *c, const struct session_input *in);

/*
 * Returns the name as stored in the registry while the turn of the input runs;
 * 0: none.
 */
uint64_t claim_hash(const struct session_call *c);

/*
 * Find an earlier input of c's name. If it is CLAIM_REPEATED, c's receipt says
 * what became of that one.
 */
enum claim_found claim_find(struct session_call *c);

/*
 * Add c's claim to a commit: that of the turn's begin if 'end' is NULL,
 * otherwise that of its end. A begin is refused if the name was used before.
 */
void claim_put(struct commit *commit, const struct session_call *c,
    uint32_t turn, const struct claim *end);

/*
 * The check() of a commit with a new claim. Returns 0, or the enum claim_found
 * of an earlier one.
 */
int claim_check(struct store_txn *t, struct commit *c);

#endif
