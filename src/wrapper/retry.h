/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WRAPPER_RETRY_H
#define WRAPPER_RETRY_H

/*
 * When to connect again, and when to give up: exponential backoff with jitter
 * and a maximum number of attempts in a row. A connection that breaks soon
 * after the server has accepted the agent counts like one that fails; only one
 * that was good for RETRY_GOOD_MS lets both start anew. No I/O; the caller
 * tells the time.
 */
#include <stdint.h>

/* A connection that lasts so long is good. */
#define RETRY_GOOD_MS 5000

/* The longest wait between attempts, unless the first is longer. */
#define RETRY_MOST_MS 30000

/* How much longer a wait may be, in parts of it. */
#define RETRY_JITTER_PARTS 5

/* The caller fills in the first two; the rest is 0 at first. */
struct retry {
	int64_t first_ms;     /* the first wait, at least 1 */
	int64_t max_attempts; /* in a row */
	int64_t n_attempts;
	int64_t last_ms; /* the last wait, without jitter */
	int64_t
	    accepted_ms; /* when the server has accepted us; 0: it has not */
};

/* The server has accepted the agent. now_ms is of the monotonic clock, not 0. */
void retry_accepted(struct retry *r, int64_t now_ms);

/*
 * The connection is lost, or could not be made. Returns the time to the next
 * attempt, in which random is any number; or -1: no attempt is left.
 */
int64_t retry_lost(struct retry *r, int64_t now_ms, uint32_t random);

#endif
