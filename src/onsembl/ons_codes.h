/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ONSEMBL_ONS_CODES_H
#define ONSEMBL_ONS_CODES_H

/*
 * Programs that wait to be let in (RFC 8628): each has a code of its own, with
 * which it asks, and one that its user enters. They are in shared memory, so
 * that any worker answers for them; a server that starts again has forgotten
 * them, and the programs ask for new ones. There is room for ONS_CODES_MAX, and
 * of those ONS_CODES_PEER for one place in the network, whose oldest makes room
 * for its next.
 *
 * Who enters the code of somebody else's program gets that program, so nobody
 * may try many: a user who has entered ONS_CODES_GUESSES that do not exist in
 * ONS_CODES_TTL_S has to wait for the rest of that time.
 */
#include "onsembl/ons_token.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heritage;
struct ons_codes;

#define ONS_CODES_MAX 1024
#define ONS_CODES_PEER 16
#define ONS_CODES_GUESSES 20

/* How long codes are good, and how often a program may ask, in seconds. */
#define ONS_CODES_TTL_S 600
#define ONS_CODES_INTERVAL_S 5

/* Room for the codes, with their NUL. */
#define ONS_CODE_DEVICE 33
#define ONS_CODE_USER 7

struct ons_code_pair {
	char device[ONS_CODE_DEVICE];
	char user[ONS_CODE_USER];
};

enum ons_code_state {
	ONS_CODE_GOOD,
	ONS_CODE_PENDING, /* nobody has entered it yet */
	ONS_CODE_SLOW,	  /* it asks too often */
	ONS_CODE_TAKEN,	  /* somebody has entered it already */
	ONS_CODE_EXPIRED,
	ONS_CODE_UNKNOWN,
	ONS_CODE_GUESSED, /* too many of this user were unknown */
	ONS_CODE_FULL,	  /* no room, or the lock is not available */
};

/* Returns the bytes of shared memory that the codes need. */
uint64_t ons_codes_bytes(void);

/* Make the table at heritage->codes_at, unless it is there. For the keeper. */
void ons_codes_make(struct heritage *h);

/* Returns the table, which the keeper has made. */
struct ons_codes *ons_codes_of(struct heritage *h);

/* Make a pair for a program at this place in the network: GOOD or FULL. */
enum ons_code_state ons_codes_add(
    struct ons_codes *c, const char *place, struct ons_code_pair *pair);

/*
 * The user of these claims has entered a code: GOOD, UNKNOWN, GUESSED, EXPIRED,
 * TAKEN or FULL.
 */
enum ons_code_state ons_codes_enter(struct ons_codes *c, const char *code,
    size_t len, const struct ons_claims *claims);

/*
 * A program asks. GOOD, with the user and organisation in *claims: once, the
 * code is unknown then.
 */
enum ons_code_state ons_codes_ask(struct ons_codes *c, const char *code,
    size_t len, struct ons_claims *claims);

#endif
