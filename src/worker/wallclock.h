/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WORKER_WALLCLOCK_H
#define WORKER_WALLCLOCK_H

/*
 * The keeper's watch over the wall clock. Stored data expires by it, so a clock
 * that jumps two days ahead would delete all results and free all input ids at
 * once. The watch compares it with the time since boot, which cannot be set:
 * *line_ms is their difference when the wall clock was last trusted, and all
 * processes expire data by that line (clock_hold()) until everything that
 * existed before the jump has had its time. A clock set back is trusted at
 * once, since nothing expires by that.
 */
#include <stdbool.h>
#include <stdint.h>

struct wallclock {
	_Atomic int64_t *line_ms; /* shared by all processes */
	int64_t ttl_ms;		  /* the lifetime of stored data */
	int64_t ahead_ms;	  /* the jump being waited out, or 0 */
	int64_t since_ms;	  /* clock_boot_ms() of the jump */
};

/*
 * Begin. before_ms is the line of an earlier start in this boot, or 0. Takes
 * effect at once.
 */
void wallclock_begin(struct wallclock *w, _Atomic int64_t *line_ms,
    int64_t ttl_ms, int64_t before_ms);

/*
 * Check the clock, every few seconds. Returns whether *line_ms changed because
 * of a jump and should be stored.
 */
bool wallclock_look(struct wallclock *w);

#endif
