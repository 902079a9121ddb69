/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef TRUST_GATE_H
#define TRUST_GATE_H

/*
 * The gate is the thread of a worker that does what signatures cost: it
 * verifies them, and claims each in the store so that it is used once, by all
 * workers together and across restarts (spec 3.8). It takes all that is queued
 * as one batch, so that a flood of signatures shares one commit and no other
 * client waits for them.
 *
 * A claim is made after the signature verified, never before: else anybody
 * could use up the signatures of others. If the store cannot take it, or not in
 * time, the job fails.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

struct gate;
struct store;

enum gate_result {
	GATE_OK,
	GATE_INVALID,	  /* the signature is not of this payload */
	GATE_USED,	  /* it was claimed before */
	GATE_UNAVAILABLE, /* the store did not take the claim */
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
	 * same peer (spec 2.15), which this hash names.
	 */
	bool has_grace;
	uint64_t peer;
	/* More to do on the gate's thread when all is well; may be NULL. */
	void (*work)(struct gate_job *job);
	void (*done)(struct gate_job *job, enum gate_result result);
	void *arg;
	void *owned;		   /* freed with the job; NULL: nothing */
	void (*drop)(void *owned); /* how; NULL: free() */
	/* The gate's own. */
	struct list flight;
	enum gate_result result;
	int64_t pushed_ms;
	bool is_told;
};

/* How long the same signature may come again (has_grace). */
#define GATE_GRACE_MS 2000

/* How long a job may take before it fails with GATE_UNAVAILABLE. */
#define GATE_PATIENCE_MS 2000

/* Most jobs at once; one more fails with GATE_UNAVAILABLE. */
#define GATE_MAX_JOBS 8192

/*
 * Start the thread. wake(arg) is called on it:
 * gate_collect() has something to do.
 */
struct gate *gate_new(struct store *store, void (*wake)(void *arg), void *arg);

/* Stop the thread without calling what is left, free, null *g. */
void gate_free(struct gate **g);

/* A new job without anything in it. */
struct gate_job *gate_job(void);

/*
 * Hand the job over. done(job, result) comes once, on the loop, from
 * gate_collect() or gate_tick(), never from inside this call, and must not keep
 * the job. When the time is up, work() may still be at it.
 */
void gate_push(struct gate *g, struct gate_job *job);

/* On the loop: call done() of all jobs that are finished. */
void gate_collect(struct gate *g);

/* On the loop, often: fail the jobs that took longer than GATE_PATIENCE_MS. */
void gate_tick(struct gate *g);

/*
 * For the keeper, now and then: delete a bounded number of claims that have
 * expired. *cursor says where to go on; 0 at first.
 */
void gate_expire(struct store *store, uint64_t *cursor);

#endif
