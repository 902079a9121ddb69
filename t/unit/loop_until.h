/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef T_UNIT_LOOP_UNTIL_H
#define T_UNIT_LOOP_UNTIL_H

/*
 * Run a loop until a condition of the test holds. struct test is what the
 * including file keeps of one test; the conditions look into it.
 */
#include "net/loop.h"

struct test;

struct loop_until {
	struct loop *loop;
	struct test *test;
	bool (*is_reached)(struct test *x);
	struct loop_timer late;
	struct loop_timer tick;
	bool is_late;
};

static void loop_until_late(void *arg)
{
	struct loop_until *u = arg;

	u->is_late = true;
	loop_stop(u->loop);
}

static void loop_until_tick(void *arg)
{
	struct loop_until *u = arg;

	if (u->is_reached(u->test))
		loop_stop(u->loop);
	else
		loop_timer_set(u->loop, &u->tick, 2);
}

/* Returns false when the condition does not hold after so long. */
static bool loop_until(struct loop *l, int64_t patience_ms, struct test *x,
    bool (*is_reached)(struct test *x))
{
	struct loop_until u = {.loop = l, .test = x, .is_reached = is_reached};

	loop_timer_init(&u.late, loop_until_late, &u);
	loop_timer_init(&u.tick, loop_until_tick, &u);
	loop_timer_set(l, &u.late, patience_ms);
	loop_timer_set(l, &u.tick, 0);
	loop_run(l);
	loop_timer_stop(l, &u.late);
	loop_timer_stop(l, &u.tick);
	return !u.is_late;
}

static inline bool loop_until_ticked(struct test *x)
{
	static int n;

	(void)x;
	return ++n % 20 == 0;
}

/* Give what should not happen the time to happen. */
static inline void loop_a_little(struct loop *l)
{
	(void)loop_until(l, 20000, NULL, loop_until_ticked);
}

#endif
