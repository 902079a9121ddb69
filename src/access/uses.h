/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ACCESS_USES_H
#define ACCESS_USES_H

/*
 * A claim makes something valid only once: a signature (spec 3.8), or the
 * receipt of a payment. It holds over all workers, and across restarts and
 * crashes of the machine.
 *
 * The claim of a receipt is a fact. Those of signatures are too many to be
 * synced one by one; they are rows of the journal, which no death of a process
 * harms and which a crash of the machine discards. So time is divided into
 * spans, and before the first claim in a span, the span is marked in the facts
 * with the epoch of the journal. A span with the mark of an earlier epoch is
 * closed: what was claimed in it is unknown, so all of its signatures count as
 * used. A claim belongs to the span of until_ms, which the time stamp of a
 * signature determines.
 *
 * A struct uses belongs to one thread, which it makes wait for the disk.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct uses;
struct store;

/*
 * The length of a span. After a crash of the machine, signatures are refused
 * whose time stamp is in a span in which one was claimed before: some seconds
 * in which the machine was starting.
 */
#define USES_SPAN_MS 5000

/* How long the same signature is accepted again (has_grace). */
#define USES_GRACE_MS 2000

enum use_result {
	USE_GRANTED,
	USE_REPEATED, /* it was claimed before, or may have been */
	USE_FAILED,   /* the store could not write the claim */
};

struct use {
	uint8_t digest[32]; /* identifies what is claimed */
	int64_t until_ms;   /* how long it is remembered, by the wall clock */
	/* It is no signature: until_ms may differ from one try to the next. */
	bool is_lasting;
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
 * Adopt the claims of signatures that an older program kept among the facts.
 * For the first keeper of a server, before there are workers.
 */
void uses_adopt(struct store *store);

/*
 * For the keeper, periodically: delete a bounded number of expired claims.
 * *receipt is where to continue; 0 at first. Returns whether so many were found
 * that the next part should follow at once.
 */
bool uses_expire(struct store *store, uint64_t *receipt);

#endif
