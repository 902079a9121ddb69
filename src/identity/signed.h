/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef IDENTITY_SIGNED_H
#define IDENTITY_SIGNED_H

/*
 * A signed request consists of a payload, the address of the claimed signer,
 * and the signature. These checks need no state. Make them in this order, with
 * the blacklist after the first: signed_from(), signed_read(), signed_fresh(),
 * signed_recipient(), signed_verify(). A caller that stops at the first failure
 * reports the right one to the client. Only signed_verify() is expensive; the
 * others may be called on the event loop.
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

/*
 * The maximum distance of a timestamp from now, in seconds, in either
 * direction.
 */
#define SIGNED_WINDOW 300

/*
 * The limits of a payload. Anybody may send one, and the cost of verifying it
 * grows with these, while the size of its text is limited elsewhere. Clients
 * sign flat objects with a few members; the largest is an INPUT with all its
 * files (1000 of up to five members, at the widest settings).
 */
#define SIGNED_MAX_KEYS 8192
#define SIGNED_MAX_VALUES 16384 /* of all types, without keys */
#define SIGNED_MAX_DEPTH 64	/* nesting of objects and arrays */

/* What a signed request claims; none of it is proven. */
struct signed_head {
	const struct json *payload;
	const struct json *sender; /* "from" as it came */
	const struct json *text;   /* "signature" as it came */
	char from[ADDRESS_SIZE];   /* canonical; "" if absent */
	uint8_t key[32];	   /* of from */
	uint8_t signature[64];	   /* zero if unreadable: no key makes it */
	uint8_t digest[32]; /* identifies the signature in any spelling */
	double timestamp;   /* seconds, wall clock; finite */
};

/*
 * Begin with a request's members, as they came; NULL for absent ones. Sets
 * h->from, for the blacklist. Returns 0, or -1 with ERR_UNAUTHORIZED if payload
 * or signature is absent, or payload is not an object.
 */
int signed_from(struct signed_head *h, const struct json *payload,
    const struct json *from, const struct json *signature, struct err *err);

/*
 * Fill in the rest of h. A malformed signature passes here, since it is refused
 * in its turn by signed_verify(). Returns 0, or -1 with ERR_UNAUTHORIZED if
 * from, signature or timestamp cannot be used, or ERR_TOO_LARGE if the payload
 * exceeds one of the limits above.
 */
int signed_read(struct signed_head *h, struct err *err);

/*
 * Whether it was signed within SIGNED_WINDOW of now (seconds, wall clock).
 * Returns 0, or -1 with ERR_UNAUTHORIZED.
 */
int signed_fresh(const struct signed_head *h, double now, struct err *err);

/*
 * Whether it is for us: the payload's "to" is our address (canonical), in any
 * spelling. Without "to" it is for anybody, unless "to" is required. Returns 0,
 * or -1 with ERR_UNAUTHORIZED.
 */
int signed_recipient(const struct signed_head *h, const char *address,
    bool is_required, struct err *err);

/* Whether the payload's "to" is this name and does not look like an address. */
bool signed_is_to_name(const struct signed_head *h, const char *name);

/* The maximum number of Ed25519 verifications for one signature. */
#define SIGNED_MAX_TRIES 6

/*
 * Whether the key made the signature over one of the canonical forms of the
 * payload, len bytes of JSON text. Returns false for duplicate keys, numbers
 * that are not finite doubles, and keys or signatures that Ed25519 cannot use
 * safely (small order, not canonical). Costs about one verification; up to
 * SIGNED_MAX_TRIES for a wrong signature.
 */
bool signed_verify(const uint8_t key[32], const uint8_t signature[64],
    const char *payload, size_t len);

/*
 * Decode a signature: 128 hex digits, with or without "0x". Returns false if it
 * is none.
 */
bool signed_parse(const char *text, size_t len, uint8_t signature[64]);

/*
 * Append the bytes of an ANNOUNCE that are signed: the message, without its
 * signature, with spaces after commas and colons. Returns false, with nothing
 * appended, if a number in it is not a finite double.
 */
bool signed_announce(struct buf *out, const struct json *message);

/*
 * Whether the key made the signature over an ANNOUNCE, len bytes of JSON text
 * without the member "signature". Returns false in the cases of
 * signed_verify().
 */
bool signed_announce_verify(const uint8_t key[32], const uint8_t signature[64],
    const char *message, size_t len);

#endif
