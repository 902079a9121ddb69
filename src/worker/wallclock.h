/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WORKER_WALLCLOCK_H
#define WORKER_WALLCLOCK_H

/*
 * The keeper's watch over the wall clock. What is stored expires by it, so a
 * clock that jumps two days ahead would take all results and free all names of
 * inputs at once. The watch compares it with the time since the machine started,
 * which nobody sets: *line_ms is their difference when the wall clock was last
 * believed, and all processes expire by that line (clock_hold()) until what was
 * there before the jump has had its time. A clock that goes back is believed at
 * once, for nothing expires by that.
 */
#include <stdbool.h>
#include <stdint.h>

struct wallclock {
	_Atomic int64_t *line_ms; /* shared by all processes */
	int64_t ttl_ms;		  /* what is stored lives so long */
	int64_t ahead_ms;	  /* the jump that is waited out, or 0 */
	int64_t since_ms;	  /* clock_boot_ms() of it */
};

/*
 * Begin: before_ms is where the clock was believed at an earlier start under
 * this boot, or 0. Has effect at once.
 */
void wallclock_begin(struct wallclock *w, _Atomic int64_t *line_ms,
    int64_t ttl_ms, int64_t before_ms);

/*
 * Look at the clock, every few seconds at most. Returns whether *line_ms moved
 * by a jump, so that it is worth storing.
 */
bool wallclock_look(struct wallclock *w);

#endif
