/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef IDENTITY_SIGNED_H
#define IDENTITY_SIGNED_H

/*
 * A signed request is a payload, who says to have signed it, and the signature.
 * These are the checks that need no state, to be made in this order, with the
 * blacklist after the first: signed_from(), signed_read(), signed_fresh(),
 * signed_recipient(), signed_verify(). Who stops at the first refusal tells the
 * client the right one. signed_verify() alone costs something; the others are
 * for the event loop.
 *
 * Pure functions, safe from any thread. A signed_head borrows the request's
 * JSON.
 */
#include "identity/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct json;

/* How far a timestamp may be from now, in seconds, either way. */
#define SIGNED_WINDOW 300

/*
 * What a payload may hold at most. Anybody may send one, and what it costs to
 * verify grows with these, while its text is limited elsewhere. Clients sign
 * flat objects of a few members; the largest is an INPUT with all its files
 * (1000 of up to five members, at the widest settings).
 */
#define SIGNED_MAX_KEYS 8192
#define SIGNED_MAX_VALUES 16384 /* of all kinds, keys apart */
#define SIGNED_MAX_DEPTH 64	/* objects and arrays in each other */

/* What a signed request claims; nothing of it is proven. */
struct signed_head {
	const struct json *payload;
	const struct json *sender; /* "from" as it came */
	const struct json *text;   /* "signature" as it came */
	char from[ADDRESS_SIZE];   /* canonical; "" when there is none */
	uint8_t key[32];	   /* of from */
	uint8_t signature[64]; /* zero, which no key has made, if not read */
	uint8_t digest[32];    /* names the signature, however spelled */
	double timestamp;      /* seconds, wall clock; finite */
};

/*
 * Begin with a request's members, as they came; NULL for one that is absent.
 * Afterwards h->from is known, for the blacklist. Returns 0, or -1 with
 * ERR_UNAUTHORIZED: payload or signature is absent, or payload no object.
 */
int signed_from(struct signed_head *h, const struct json *payload,
    const struct json *from, const struct json *signature, struct err *err);

/*
 * Fill in the rest of h. A signature that is no signature passes here, since it
 * is refused in its turn: signed_verify() says no. Returns 0, or -1 with
 * ERR_UNAUTHORIZED: from, signature or timestamp cannot be used; or
 * ERR_TOO_LARGE: the payload is over one of the limits above.
 */
int signed_read(struct signed_head *h, struct err *err);

/*
 * Whether it was signed within SIGNED_WINDOW of now (seconds, wall clock).
 * Returns 0, or -1 with ERR_UNAUTHORIZED.
 */
int signed_fresh(const struct signed_head *h, double now, struct err *err);

/*
 * Whether it is for us: the payload's "to" is our address (canonical), in any
 * spelling. Without "to" it is for anybody, unless that is required. Returns 0,
 * or -1 with ERR_UNAUTHORIZED.
 */
int signed_recipient(const struct signed_head *h, const char *address,
    bool is_required, struct err *err);

/* Whether the payload's "to" is this name, and not of the form of an address. */
bool signed_is_to_name(const struct signed_head *h, const char *name);

/* Most Ed25519 verifications for one signature. */
#define SIGNED_MAX_TRIES 6

/*
 * Whether the key made the signature over one of the canonical forms of the
 * payload, len bytes of JSON text. False for a doubled key, a number that is no
 * finite double, and a key or signature that Ed25519 has no safe use for (small
 * order, not canonical). Costs about a verification; up to SIGNED_MAX_TRIES for
 * a false one.
 */
bool signed_verify(const uint8_t key[32], const uint8_t signature[64],
    const char *payload, size_t len);

/*
 * Append the bytes that are signed of an ANNOUNCE: the message, which has no
 * signature yet, with spaces after commas and colons. False, with nothing
 * appended, if a number in it is no finite double.
 */
bool signed_announce(struct buf *out, const struct json *message);

#endif
