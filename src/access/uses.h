/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ACCESS_USES_H
#define ACCESS_USES_H

/*
 * A claim makes something valid only once: a signature (spec 3.8), or the
 * receipt of a payment. It holds over all workers, and across restarts.
 *
 * A struct uses belongs to one thread, which it makes wait for the disk.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct uses;
struct store;

/* How long the same signature is accepted again (has_grace). */
#define USES_GRACE_MS 2000

enum use_result {
	USE_GRANTED,
	USE_REPEATED, /* it was claimed before */
	USE_FAILED,   /* the store could not write the claim */
};

struct use {
	uint8_t digest[32]; /* identifies what is claimed */
	int64_t until_ms;   /* how long it is remembered, by the wall clock */
	/*
	 * Whether the same signature is accepted again for USES_GRACE_MS from
	 * the same place (spec 2.15), of which peer is a hash.
	 */
	bool has_grace;
	uint64_t peer;
	enum use_result result;
};

/* For a thread that claims. */
struct uses *uses_new(struct store *store);

/* Free and null *u. */
void uses_free(struct uses **u);

/* Make n claims and set their results; failures are logged. */
void uses_claim(struct uses *u, struct use *const *all, size_t n);

/*
 * For the keeper, periodically: delete a bounded number of expired claims.
 * *cursor is the position to continue at; 0 at first. Returns whether so many
 * were found that the next part should follow at once.
 */
bool uses_expire(struct store *store, uint64_t *cursor);

#endif
