/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_PULSE_H
#define CORE_PULSE_H

/*
 * A pulse is the sign of life of one thread, in shared memory: what it does,
 * and when it last came forward. The thread writes it, the master kills the
 * process of one that does not move (master/watch.h), and /readyz looks at
 * all. A thread takes its pulse with pulse_use(); in one that has none, as in
 * commands and tests, every call does nothing. A call costs a reading of the
 * clock.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* The threads of a process that have one. */
enum pulse_line {
	PULSE_LOOP,
	PULSE_CHATTER, /* a lane of journal/journal.h */
	PULSE_FACTS,   /* the other one */
	PULSE_LINES
};

enum pulse_state {
	PULSE_NONE,    /* nobody watches it: it starts, or leaves */
	PULSE_IDLE,    /* has nothing to do, for as long as it likes */
	PULSE_BUSY,    /* must move */
	PULSE_WAITING, /* for a lock; who holds it must move */
};

struct pulse {
	_Atomic int64_t at_us;	/* clock_steady_us() of the last sign of life */
	_Atomic uint32_t state; /* enum pulse_state, since at_us or before */
	_Atomic int32_t tid;
};

/* From now on p is the pulse of the calling thread; NULL: it has none. */
void pulse_use(struct pulse *p);

/* Say what the thread does from now on, which is a sign of life; what before.
 */
enum pulse_state pulse_set(enum pulse_state state);

/* Come forward in what the thread does already. */
void pulse_beat(void);

/* The same for each step of a long walk: now and then it beats. */
void pulse_step(void);

/* Whether the thread is in a state that must end, and has been for longer. */
bool pulse_is_late(const struct pulse *p, int64_t now_us, int64_t limit_us);

#endif
