/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef SESSION_CLAIM_H
#define SESSION_CLAIM_H

/*
 * A claim is what an input with a name (input_id) leaves behind: a row that says
 * what became of it, so that the same input is not run again. It is written in
 * the transaction of the input itself, and again with the end of its turn.
 */
#include "store/store.h"

#include <stdint.h>

struct claim;
struct commit;
struct session_call;
struct session_input;

enum claim_found {
	CLAIM_UNUSED,	/* nobody used this name here, or long ago */
	CLAIM_REPEATED, /* the same input was there */
	CLAIM_REUSED,	/* another one was */
	CLAIM_DAMAGED,	/* one was, and what became of it cannot be read */
};

/*
 * Give a call the name of its input: what was said, and for whom it counts. A
 * name is the caller's in the session that it named (unsigned: the session's);
 * without a session the caller's alone (unsigned: one place's in the network).
 * An input that named none has a second name in the session that it was given,
 * under which it is found when its client comes back.
 */
void claim_name(struct session_call *c, const struct session_input *in);

/* The name as the registry knows it while the turn of the input runs; 0: none. */
uint64_t claim_hash(const struct session_call *c);

/*
 * Look for an earlier input of c's name. If it is CLAIM_REPEATED, c's receipt
 * tells what became of that one.
 */
enum claim_found claim_find(struct session_call *c);

/*
 * Put c's claim into a commit: with 'end' NULL the turn's begin, else what it
 * came to. One that begins is refused when its name was used before.
 */
void claim_put(struct commit *commit, const struct session_call *c,
    uint32_t turn, const struct claim *end);

/* check() of a commit that puts a new claim: 0, or the enum claim_found of an
 * earlier one. */
int claim_check(struct store_txn *t, struct commit *c);

#endif
