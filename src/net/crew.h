/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef NET_CREW_H
#define NET_CREW_H

/*
 * A crew is a few threads that do what may block (reading files, hashing) for
 * the loop: a job's run() is called on one of them, then its done() on the
 * loop, once each. A job lives in its owner's memory and belongs to the crew
 * from crew_run() until done(). Jobs begin in the order in which they came.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"

struct crew;
struct loop;

struct crew_job {
	void (*run)(struct crew_job *job);  /* on a thread: no call of net/ */
	void (*done)(struct crew_job *job); /* on the loop; may free the job */
	struct list link;
};

/* Start the threads (at least one); at most 'most' jobs wait or run at a time.
 * Never NULL. */
struct crew *crew_open(struct loop *l, unsigned threads, size_t most);

/* Take a job on; false, and done() is not called, when there are too many. */
bool crew_run(struct crew *c, struct crew_job *job);

/*
 * Wait for the jobs that run, call done() for them and for those that were
 * never begun (their run() is not called), stop the threads, free and null *c.
 */
void crew_close(struct crew **c);

/* Whether the crew is closing: what done() was to hand out is not wanted. */
bool crew_is_closing(const struct crew *c);

#endif
