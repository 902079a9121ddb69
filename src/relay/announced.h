/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef RELAY_ANNOUNCED_H
#define RELAY_ANNOUNCED_H

/*
 * An ANNOUNCE: what an agent says about itself, under its signature. Reading and
 * checking one is pure, and takes a moment, so it is done on a thread.
 */
#include "base/buf.h"
#include "base/span.h"
#include "identity/address.h"
#include "identity/digest.h"

#include <stdbool.h>
#include <stdint.h>

struct err;

/* The documented limit of a summary, in characters. */
#define ANNOUNCED_SUMMARY 1000

/* The most endpoints, and the longest one in bytes. */
#define ANNOUNCED_ENDPOINTS 64
#define ANNOUNCED_ENDPOINT_BYTES 1000

struct announced {
	struct buf text; /* all of it, as it came */
	char address[ADDRESS_SIZE];
	uint8_t key[32];
	uint8_t signature[64];
	uint8_t digest[DIGEST_SIZE]; /* of the signature */
	uint8_t said[DIGEST_SIZE];   /* of all but time and signature */
	double timestamp;	     /* seconds since 1970 */
	/* Values as they stand in text; {NULL, 0} if absent or null. */
	struct span summary;
	struct span endpoints;
	struct span relay;
	struct span profile;
	struct span profile_signature;
	bool has_endpoints; /* there is at least one */
	bool has_conn_id;   /* relay_features has "conn_id" */
	/*
	 * The profile was published for good (attestation_version is
	 * "profile-v2"); later ones have a greater revision.
	 */
	bool is_attested;
	int64_t revision;
};

/*
 * Read an ANNOUNCE and check its form. Takes the bytes of *text. Returns 0, or
 * -1 with *err, whose text is what the agent is told; call announced_fini() in
 * either case.
 */
int announced_read(struct announced *a, struct buf *text, struct err *err);

/*
 * Whether it was made within SIGNED_WINDOW of now (seconds) and its signatures
 * are right. Returns 0, or -1 with *err.
 */
int announced_verify(const struct announced *a, double now, struct err *err);

/* Free what a holds. */
void announced_fini(struct announced *a);

#endif
