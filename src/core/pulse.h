/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_PULSE_H
#define CORE_PULSE_H

/*
 * A pulse is the liveness record of one thread, in shared memory: what the
 * thread is doing, and when it last made progress. The thread writes it, the
 * master kills a process that is stuck (master/watch.h), and /readyz reads all
 * of them. A thread adopts its pulse by pulse_use(); in a thread without one,
 * as in commands and tests, all calls do nothing. A call costs one reading of
 * the clock.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* The threads of a process that have a pulse. */
enum pulse_line {
	PULSE_LOOP,
	PULSE_CHATTER, /* events committer: journal/journal.h */
	PULSE_FACTS,   /* facts committer */
	PULSE_LINES
};

enum pulse_state {
	PULSE_NONE,    /* not watched: starting, or leaving */
	PULSE_IDLE,    /* nothing to do, for any length of time */
	PULSE_BUSY,    /* must make progress */
	PULSE_WAITING, /* for a lock, whose holder must make progress */
};

struct pulse {
	_Atomic int64_t at_us;	/* clock_steady_us() of the last beat */
	_Atomic uint32_t state; /* enum pulse_state, since at_us or before */
	_Atomic int32_t tid;
};

/* Make p the pulse of the calling thread; NULL: it has none. */
void pulse_use(struct pulse *p);

/*
 * Set what the thread is doing from now on, which is also a beat. Returns the
 * previous state.
 */
enum pulse_state pulse_set(enum pulse_state state);

/* Report progress in the current state. */
void pulse_beat(void);

/* The same for each step of a long loop: it beats only now and then. */
void pulse_step(void);

/*
 * Whether the thread has been in a state that must end for longer than
 * limit_us.
 */
bool pulse_is_late(const struct pulse *p, int64_t now_us, int64_t limit_us);

#endif
