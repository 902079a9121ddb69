/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MASTER_WATCH_H
#define MASTER_WATCH_H

/*
 * The watch over the pulses of the children (core/pulse.h). A process that does
 * not move is worse than one that died: it may hold a lock that all others wait
 * for, and nobody takes over its turns. So it is killed.
 *
 * Time counts against a child only while the master itself looks: between two
 * looks it is one second at most, so a master that was stopped, a machine that
 * slept or one under heavy load blames nobody. Who waits for a lock or for work
 * is not hung, nor who waits for a disk (it could not be killed, and goes on
 * when the disk does), nor who is held by a debugger.
 */
#include "core/heritage.h"

#include <stdint.h>
#include <sys/types.h>

struct children;

struct watch_line {
	int64_t seen_us;   /* the sign of life at the last look */
	int64_t silent_us; /* how long we have looked since without another */
};

struct watch {
	int64_t looked_us;
	pid_t pid[HERITAGE_SLOTS]; /* whose lines these are */
	struct watch_line line[HERITAGE_SLOTS][PULSE_LINES];
};

/*
 * Look at all children, and kill those that have not moved for limit_ms (0:
 * none). Call it often; a zeroed watch is a new one. Returns how many were
 * killed.
 */
unsigned watch_look(
    struct watch *w, const struct children *c, int64_t limit_ms);

#endif
