/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MASTER_WATCH_H
#define MASTER_WATCH_H

/*
 * The watchdog over the pulses of the children (core/pulse.h). A process that
 * hangs is worse than one that died: it may hold a lock that all others wait
 * for, and nobody takes over its turns. So it is killed.
 *
 * Time counts against a child only while the master itself is running: at most
 * one second between two checks, so a master that was stopped, a machine that
 * was suspended or is under heavy load blames nobody. A thread that waits for a
 * lock, for work or for a disk is not hung (in the last case it could not be
 * killed anyway, and continues when the disk does), nor is one stopped by a
 * debugger.
 */
#include "core/heritage.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct children;

struct watch_line {
	int64_t seen_us;   /* the beat seen by the last check */
	int64_t silent_us; /* how long we have checked since */
};

struct watch {
	int64_t looked_us;
	pid_t pid[HERITAGE_SLOTS]; /* the processes to which the lines belong */
	struct watch_line line[HERITAGE_SLOTS][PULSE_LINES];
};

/*
 * Check all children, and kill those that made no progress for limit_ms (0:
 * none). Call it often; a zeroed watch is a new one. Returns how many were
 * killed.
 */
unsigned watch_look(
    struct watch *w, const struct children *c, int64_t limit_ms);

/*
 * Whether no child has been silent for limit_ms at the last check, whatever the
 * cause.
 */
bool watch_is_fresh(
    const struct watch *w, const struct children *c, int64_t limit_ms);

#endif
