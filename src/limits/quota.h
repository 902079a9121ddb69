/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef LIMITS_QUOTA_H
#define LIMITS_QUOTA_H

/*
 * Quotas limit how often something may be done, over all processes together.
 * Each pair of kind and name is a bucket that holds 'burst' and refills evenly
 * in 'period': the generic cell rate algorithm (ITU-T I.371), which needs one
 * number per bucket. The numbers are in a table in shared memory; when it is
 * full, the bucket with the most credit left is evicted. No locks; any thread.
 */
#include <stdbool.h>
#include <stdint.h>

struct heritage;

/* What co-hostd counts; another program has kinds of its own. */
enum quota_kind {
	QUOTA_GUESSES,	    /* wrong invite codes by address */
	QUOTA_PEER_GUESSES, /* the same by network */
	QUOTA_ALL_GUESSES,  /* the same in total; who is "" */
	QUOTA_REQUESTS,	    /* requests and frames by address */
	QUOTA_PEER_REQUESTS,
	QUOTA_BYTES, /* bytes of inputs, including uploads */
	QUOTA_PEER_BYTES,
};

/* The size of a bucket and how fast it refills. */
struct quota {
	int64_t burst;	   /* the capacity */
	int64_t period_ms; /* time to refill it all; > 0 */
};

/* The state of a bucket after a call. */
struct quota_left {
	int64_t left;	 /* amount available now */
	int64_t wait_ms; /* until the refused amount is available; else 0 */
	int64_t full_ms; /* until the bucket is full */
};

/*
 * Take an amount. Returns false, with nothing taken, if less is left. An amount
 * above the burst can be taken when the bucket is full. left may be NULL.
 */
bool quota_take(struct heritage *h, unsigned kind, const char *who,
    const struct quota *q, int64_t amount, struct quota_left *left);

/* Whether the amount could be taken now. */
bool quota_has(struct heritage *h, unsigned kind, const char *who,
    const struct quota *q, int64_t amount);

#endif
