/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "core/pulse.h"

#include "base/clock.h"

#include <stddef.h>
#include <unistd.h>

#define STEPS_A_BEAT 256

static _Thread_local struct pulse *mine;
static _Thread_local unsigned steps;

void pulse_use(struct pulse *p)
{
	mine = p;
	if (p)
		atomic_store(&p->tid, (int32_t)gettid());
}

void pulse_beat(void)
{
	if (mine)
		atomic_store_explicit(
		    &mine->at_us, clock_steady_us(), memory_order_relaxed);
}

enum pulse_state pulse_set(enum pulse_state state)
{
	if (!mine)
		return PULSE_NONE;
	/* Beat first, or the new state would look as old as the last beat. */
	pulse_beat();
	return (enum pulse_state)atomic_exchange(&mine->state, (uint32_t)state);
}

void pulse_step(void)
{
	if (mine && ++steps % STEPS_A_BEAT == 0)
		pulse_beat();
}

bool pulse_is_late(const struct pulse *p, int64_t now_us, int64_t limit_us)
{
	uint32_t state = atomic_load(&p->state);
	return (state == PULSE_BUSY || state == PULSE_WAITING) &&
	       now_us - atomic_load(&p->at_us) > limit_us;
}
