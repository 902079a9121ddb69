/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ACCESS_GATE_H
#define ACCESS_GATE_H

/*
 * The gate is two threads of a worker for the expensive part of signatures: it
 * verifies them, and claims each in the store so that it is valid only once
 * (access/uses.h). One thread handles large payloads (GATE_LARGE_BYTES), the
 * other all the rest, so that small ones never wait for large ones. Each
 * takes its queue in batches, so that a flood of signatures needs few commits
 * and other clients do not wait for it.
 *
 * The jobs of one peer form a queue, and queues are served round-robin: a peer
 * that sends much delays only itself. Each queue is bounded, and so is their
 * total; a job that finds no room, or has not begun in time, fails as busy, and
 * may be retried.
 *
 * A claim is made after the signature was verified, never before: otherwise
 * anybody could use up the signatures of others. If the store cannot write the
 * claim, or not in time, the job fails.
 */
#include "access/uses.h"
#include "base/list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gate;
struct store;

/* How a job ended. */
enum gate_result {
	GATE_OK,
	GATE_INVALID,	  /* the signature does not match the payload */
	GATE_USED,	  /* it was claimed before */
	GATE_UNAVAILABLE, /* the store could not write the claim */
	GATE_BUSY,	  /* too many jobs in total */
	GATE_CROWDED,	  /* too many jobs in this queue */
};

/* One signature. Created by gate_job(); gate_push() passes it to the gate. */
struct gate_job {
	struct list link;
	uint8_t key[32]; /* Ed25519 public key */
	uint8_t signature[64];
	char *payload; /* the signed JSON text */
	size_t payload_len;
	bool is_verified; /* nothing to verify, only to claim */
	bool is_claimed;  /* claim this use */
	struct use use;
	uint64_t queue; /* its queue; 0: the server's */
	/*
	 * More cryptography for the sender if the job succeeds, such as a seal
	 * (access/seal_call.h). Runs on the gate's thread, and must not wait
	 * for anything. NULL: none.
	 */
	void (*work)(struct gate_job *job);
	void (*done)(struct gate_job *job, enum gate_result result);
	void *arg;
	void *owned;		   /* freed with the job; NULL: nothing */
	void (*drop)(void *owned); /* how; NULL: free() */
	/* Private to the gate. */
	struct list flight;
	enum gate_result result;
	int64_t pushed_ms;
	struct gate_queue *waits; /* until it begins; then NULL */
	bool is_told;
};

/*
 * How long a job may take before it fails: with GATE_UNAVAILABLE if the store
 * is the cause, else with GATE_BUSY.
 */
#define GATE_PATIENCE_MS 2000

/* The maximum number of jobs; one more fails with GATE_BUSY. */
#define GATE_MAX_JOBS 8192

/*
 * The maximum number of waiting jobs in a queue; one more fails with
 * GATE_CROWDED.
 */
#define GATE_MAX_QUEUED 2048

/* Payloads longer than this are large. */
#define GATE_LARGE_BYTES ((size_t)64 * 1024)

/*
 * Start the threads. They call wake(arg) when gate_collect() has something to
 * do.
 */
struct gate *gate_new(struct store *store, void (*wake)(void *arg), void *arg);

/*
 * Stop the threads, drop the remaining jobs without a call, free, and null *g.
 */
void gate_free(struct gate **g);

/* Returns a new job, zeroed. */
struct gate_job *gate_job(void);

/*
 * Submit a job. done(job, result) is called once, on the loop, from
 * gate_collect() or gate_tick(), never from inside this call, and must not keep
 * the job. After a timeout, work() may still be running.
 */
void gate_push(struct gate *g, struct gate_job *job);

/* Whether no job is waiting to begin; some may be running. */
bool gate_is_idle(struct gate *g);

/* On the loop: call done() for all finished jobs. */
void gate_collect(struct gate *g);

/*
 * On the loop, often: fail the jobs that took longer than GATE_PATIENCE_MS.
 * Those that have not begun by then never will.
 */
void gate_tick(struct gate *g);

#endif
