/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef IDENTITY_ANNOUNCE_H
#define IDENTITY_ANNOUNCE_H

/*
 * ANNOUNCE, the message by which an agent makes itself known to a relay. It is
 * signed as a whole; the profile has a signature of its own, since relays pass
 * it on alone. Pure functions.
 */
#include <stdint.h>

struct buf;

/* What is announced; everything is borrowed. */
struct announce {
	const char *address;   /* ours, canonical */
	int64_t timestamp_s;   /* wall clock */
	const char *summary;   /* at most 1000 characters */
	const char *endpoints; /* a JSON array of URLs */
	const char *relay;     /* the relay's URL */
	const char *profile;   /* a JSON object; NULL: none */
};

/*
 * Append the signed message. secret_key is that of the address
 * (identity/ident_key.h). It offers that the relay tells the sockets of clients
 * apart (relay_features, "conn_id").
 */
void announce_write(
    struct buf *out, const struct announce *a, const uint8_t *secret_key);

#endif
