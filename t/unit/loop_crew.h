/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef T_UNIT_LOOP_CREW_H
#define T_UNIT_LOOP_CREW_H

/* A crew whose jobs a loop collects, as a worker does: one in a test. */
#include "net/loop.h"
#include "proc/crew.h"

static struct loop_wake *loop_crew_waker;
static struct crew **loop_crew;

static void loop_crew_on_wake(void *arg)
{
	(void)arg;
	if (*loop_crew)
		crew_collect(*loop_crew);
}

static void loop_crew_wake(void *arg)
{
	(void)arg;
	loop_wake_up(loop_crew_waker);
}

static void loop_crew_open(
    struct crew **c, struct loop *l, unsigned threads, size_t most)
{
	loop_crew = c;
	loop_crew_waker = loop_wake_open(l, loop_crew_on_wake, NULL);
	*c = crew_open(threads, most, loop_crew_wake, NULL);
}

/* Threads that end may still ring, so the waker goes last. */
static inline void loop_crew_close(struct crew **c)
{
	crew_close(c);
	loop_wake_close(&loop_crew_waker);
}

#endif
