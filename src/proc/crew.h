/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef PROC_CREW_H
#define PROC_CREW_H

/*
 * A crew is a few threads that do what may block (reading files, hashing) for
 * the loop: a job's run() is called on one of them, then its done() on the
 * loop, by crew_collect(), once each. A job lives in its owner's memory and
 * belongs to the crew from crew_run() until done(). Jobs begin in the order in
 * which they came; where there is one thread, they end in this order too. All
 * calls are made on the loop's thread, which gets the signals as well.
 */
#include "base/list.h"

#include <stdbool.h>
#include <stddef.h>

struct crew;

struct crew_job {
	void (*run)(struct crew_job *job);  /* on a thread, not the loop's */
	void (*done)(struct crew_job *job); /* on the loop; may free the job */
	/* The crew's own. */
	struct list link;
	bool is_waiting;
};

/*
 * Start the threads (at least one); there are at most 'most' jobs at a time.
 * wake(arg) is called on any of them: crew_collect() has something to do. It
 * may be called until crew_close() returns. Never NULL.
 */
struct crew *crew_open(
    unsigned threads, size_t most, void (*wake)(void *arg), void *arg);

/* Queue a job. Returns false, and never calls done(), if there are too many. */
bool crew_run(struct crew *c, struct crew_job *job);

/*
 * Take a job back that has not begun: true, and it is the caller's again, with
 * neither run() nor done() called. False when it runs or has ended.
 */
bool crew_cancel(struct crew *c, struct crew_job *job);

/* Call done() of all jobs that have ended; it may give the crew another. */
void crew_collect(struct crew *c);

/*
 * Wait for the jobs that run, call done() for them and for those that were
 * never begun (their run() is not called), stop the threads, free and null *c.
 * done() may still use the crew, which takes no job any more.
 */
void crew_close(struct crew **c);

/* Whether the crew is closing; done() should then discard its result. */
bool crew_is_closing(const struct crew *c);

#endif
