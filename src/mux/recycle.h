/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MUX_RECYCLE_H
#define MUX_RECYCLE_H

/*
 * When a process has done enough. It asks for a successor (RETIRE) after so many
 * turns, when it has more memory after a turn than it should, or when code that
 * turns have left behind keeps a processor busy, which no thread can be stopped
 * from; and it ends, and names the turn that is most likely to blame (LOST), when
 * it has more memory than it may have. To spread replacements, the first two are
 * up to 10 % lower than what was set.
 *
 * Callers hold the lock.
 */
#include <stdbool.h>
#include <stdint.h>

/* Code left behind that only waits costs nothing: less is not counted. */
#define RECYCLE_STRAY_PERCENT 10

/* Each may be 0: no limit. */
struct recycle_limits {
	uint64_t turns;
	int64_t memory_soft; /* resident after a turn, in bytes */
	int64_t memory_hard; /* resident at any time, in bytes */
	int64_t grace_us;    /* for code to stop after the end of its turn */
};

/*
 * The supervisor of the process ends it, and names no turn, when it has all of
 * memory_hard; so we do at this part of it.
 */
#define RECYCLE_SHARE(bytes) ((bytes) - (bytes) / 16)

/* Set the limits of this process. */
void recycle_open(const struct recycle_limits *l);

/* No thread can be started: ask for a successor. */
void recycle_crowded(void);

/* A turn has ended: ask for a successor if that was the last one. */
void recycle_count(void);

/* Whether recycle_check() has anything to check. */
bool recycle_is_needed(void);

/* Returns the time between checks: shorter while the limit is near. */
int64_t recycle_pause_ms(void);

/* Check all of this. Ends the process if it has too much memory. */
void recycle_check(void);

#endif
