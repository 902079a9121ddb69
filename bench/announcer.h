/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BENCH_ANNOUNCER_H
#define BENCH_ANNOUNCER_H

/*
 * Who announces itself to a relay, for benchmarks: a key of its own, and the
 * ANNOUNCEs that it signs.
 */
#include <sodium.h>

struct buf;

struct announcer {
	char address[67];
	unsigned nonce; /* no two ANNOUNCEs are alike */
	unsigned char secret[crypto_sign_SECRETKEYBYTES];
};

/* Make a new key. */
void announcer_init(struct announcer *a);

/* Append an ANNOUNCE of this moment. */
void announcer_put(struct buf *out, struct announcer *a);

#endif
