/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ACCESS_GATE_H
#define ACCESS_GATE_H

/*
 * The gate is two threads of a worker that do what signatures cost: they verify
 * them, and claim each in the store so that it is used once, by all workers
 * together and across restarts (spec 3.8). One thread does large payloads
 * (GATE_LARGE_BYTES), the other all else, so that small ones never wait for
 * them. Each takes what is queued in batches, so that a flood of signatures
 * shares few commits and no other client waits for them.
 *
 * Jobs of one peer form a queue, and queues take turns: whoever sends much
 * waits for himself. A queue is bounded, and so is the whole; what has no room,
 * or has not begun in time, fails as busy, which is worth trying again.
 *
 * A claim is made after the signature verified, never before: else anybody
 * could use up the signatures of others. If the store cannot take it, or not in
 * time, the job fails.
 */
#include "base/list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gate;
struct store;

enum gate_result {
	GATE_OK,
	GATE_INVALID,	  /* the signature is not of this payload */
	GATE_USED,	  /* it was claimed before */
	GATE_UNAVAILABLE, /* the store did not take the claim */
	GATE_BUSY,	  /* too much waits here */
	GATE_CROWDED,	  /* too much of this queue waits here */
};

/* One signature. Made by gate_job(); gate_push() gives it to the gate. */
struct gate_job {
	struct list link;
	uint8_t key[32]; /* Ed25519 public key */
	uint8_t signature[64];
	uint8_t digest[32]; /* names the signature among the claims */
	char *payload;	    /* what was signed, as JSON text */
	size_t payload_len;
	bool is_verified; /* a claim alone: nothing to verify */
	bool is_claimed;  /* claim it, until then */
	int64_t until_ms; /* wall clock */
	/*
	 * Whether the same signature may come again for GATE_GRACE_MS from the
	 * same place (spec 2.15), which this hash names.
	 */
	bool has_grace;
	uint64_t peer;
	uint64_t queue; /* with whose jobs it takes turns; 0: the server's */
	/* More to do on a thread of the gate when all is well; or NULL. */
	void (*work)(struct gate_job *job);
	void (*done)(struct gate_job *job, enum gate_result result);
	void *arg;
	void *owned;		   /* freed with the job; NULL: nothing */
	void (*drop)(void *owned); /* how; NULL: free() */
	/* The gate's own. */
	struct list flight;
	enum gate_result result;
	int64_t pushed_ms;
	struct gate_queue *waits; /* until it begins; then NULL */
	bool is_told;
};

/* How long the same signature may come again (has_grace). */
#define GATE_GRACE_MS 2000

/*
 * How long a job may take before it fails: with GATE_UNAVAILABLE when the store
 * is what takes so long, else with GATE_BUSY.
 */
#define GATE_PATIENCE_MS 2000

/* Most jobs at once; one more fails with GATE_BUSY. */
#define GATE_MAX_JOBS 8192

/* Most jobs of a queue that wait; one more fails with GATE_CROWDED. */
#define GATE_MAX_QUEUED 2048

/* A longer payload is large. */
#define GATE_LARGE_BYTES ((size_t)64 * 1024)

/*
 * Start the threads. wake(arg) is called on any:
 * gate_collect() has something to do.
 */
struct gate *gate_new(struct store *store, void (*wake)(void *arg), void *arg);

/* Stop the threads without calling what is left, free, null *g. */
void gate_free(struct gate **g);

/* A new job without anything in it. */
struct gate_job *gate_job(void);

/*
 * Hand the job over. done(job, result) comes once, on the loop, from
 * gate_collect() or gate_tick(), never from inside this call, and must not keep
 * the job. When the time is up, work() may still be at it.
 */
void gate_push(struct gate *g, struct gate_job *job);

/* Whether no job waits to begin; some may be at work. */
bool gate_is_idle(struct gate *g);

/* On the loop: call done() of all jobs that are finished. */
void gate_collect(struct gate *g);

/*
 * On the loop, often: fail the jobs that took longer than GATE_PATIENCE_MS.
 * What has not begun then never will.
 */
void gate_tick(struct gate *g);

/*
 * For the keeper, now and then: delete a bounded number of claims that have
 * expired. *cursor says where to go on; 0 at first. Returns whether they were so
 * many that the next part should follow at once.
 */
bool gate_expire(struct store *store, uint64_t *cursor);

#endif
