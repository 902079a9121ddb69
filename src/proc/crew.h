/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef PROC_CREW_H
#define PROC_CREW_H

/*
 * A crew is a small pool of threads for work that may block (reading files,
 * hashing): a job's run() is called on one of the threads, then its done() on
 * the loop's thread, by crew_collect(), once each. A job lives in its owner's
 * memory and belongs to the crew from crew_run() until done(). Jobs start in
 * the order of crew_run(); with a single thread, they also end in this order.
 * All calls are for the loop's thread, which also gets all signals.
 */
#include "base/list.h"

#include <stdbool.h>
#include <stddef.h>

struct crew;

struct crew_job {
	void (*run)(struct crew_job *job);  /* on a thread, not the loop's */
	void (*done)(struct crew_job *job); /* on the loop; may free the job */
	/* Private to the crew. */
	struct list link;
	bool is_waiting;
};

/*
 * Start the threads (at least one). At most 'most' jobs may wait or run at a
 * time. wake(arg) is called on one of the threads when crew_collect() has
 * something to do, until crew_close() returns. Never returns NULL.
 */
struct crew *crew_open(
    unsigned threads, size_t most, void (*wake)(void *arg), void *arg);

/* Queue a job. Returns false, and never calls done(), if there are too many. */
bool crew_run(struct crew *c, struct crew_job *job);

/*
 * Cancel a job that has not started: neither run() nor done() is called, and
 * the caller owns it again. Returns false if it is running or has ended.
 */
bool crew_cancel(struct crew *c, struct crew_job *job);

/* Call done() for all jobs that have ended; it may queue further jobs. */
void crew_collect(struct crew *c);

/*
 * Wait for the jobs that are running, call done() for them and for those that
 * were never started (without run()), stop the threads, free, and set *c to
 * NULL. done() may still use the crew, which accepts no more jobs.
 */
void crew_close(struct crew **c);

/* Whether the crew is closing; done() should then discard its result. */
bool crew_is_closing(const struct crew *c);

#endif
