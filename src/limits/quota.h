/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef LIMITS_QUOTA_H
#define LIMITS_QUOTA_H

/*
 * How often somebody may do something, counted by all processes together. Each
 * pair of what and who is a bucket that holds 'burst' and fills evenly in
 * 'period': the generic cell rate algorithm (ITU-T I.371), which needs one
 * number for each. The numbers lie in a table in shared memory; when it is
 * full, whoever has most left is forgotten. No locks; any thread.
 */
#include <stdbool.h>
#include <stdint.h>

struct heritage;

/* What is counted. */
enum quota_kind {
	QUOTA_GUESSES,	    /* wrong invite codes of an address */
	QUOTA_PEER_GUESSES, /* the same from one network */
	QUOTA_ALL_GUESSES,  /* the same of everybody; who is "" */
	QUOTA_REQUESTS,	    /* requests and frames of an address */
	QUOTA_PEER_REQUESTS,
	QUOTA_BYTES, /* bytes of inputs, uploads among them */
	QUOTA_PEER_BYTES,
};

struct quota {
	int64_t burst;	   /* at once */
	int64_t period_ms; /* in which so many come again; > 0 */
};

/* What is left after a question. */
struct quota_left {
	int64_t left;	 /* that could be taken now */
	int64_t wait_ms; /* until the refused amount may be taken; else 0 */
	int64_t full_ms; /* until all is there again */
};

/*
 * Take an amount; false, with nothing taken, when less is left. An amount above
 * the burst is taken when the bucket is full. left may be NULL.
 */
bool quota_take(struct heritage *h, enum quota_kind kind, const char *who,
    const struct quota *q, int64_t amount, struct quota_left *left);

/* Whether the amount could be taken. */
bool quota_has(struct heritage *h, enum quota_kind kind, const char *who,
    const struct quota *q, int64_t amount);

#endif
