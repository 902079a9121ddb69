/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef LIMITS_GAUGE_H
#define LIMITS_GAUGE_H

/*
 * A gauge counts what a caller has in use at the moment, such as sockets or
 * turns, over all processes. Each process counts its own in a table in shared
 * memory; a reader sums the tables of all live processes. So the counts of a
 * process vanish when it dies, and none leaks. No locks; each process calls
 * from one thread.
 *
 * An item that finds no place in a full table is not counted.
 */
#include <stdbool.h>
#include <stdint.h>

struct heritage;

/* What is counted. */
enum gauge_kind {
	GAUGE_RUNS,
	GAUGE_PEER_RUNS,
	GAUGE_SOCKETS,
	GAUGE_PEER_SOCKETS,
	GAUGE_PEER_CONNECTIONS,
	GAUGE_KINDS
};

/* The table of one process. */
struct gauge {
	struct heritage *heritage;
	unsigned slot;
	uint32_t generation;
};

/* A counted item: its place from 1, or 0 for none. */
typedef uint32_t gauge_hold;

/*
 * Take over the table of the slot, which starts empty, for the process of this
 * generation.
 */
struct gauge gauge_open(struct heritage *h, unsigned slot, uint32_t generation);

/*
 * Count one more and set *hold. Returns false, with nothing counted, if the
 * count is already 'most' (0: no limit). If two processes count the last one at
 * the same moment, both may be refused, but never are both accepted.
 */
bool gauge_take(struct gauge *g, enum gauge_kind kind, const char *who,
    int64_t most, gauge_hold *hold);

/* Count one less and set *hold to 0. Does nothing if it is 0. */
void gauge_drop(struct gauge *g, gauge_hold *hold);

/* Returns the current count, over all processes. */
int64_t gauge_count(
    const struct gauge *g, enum gauge_kind kind, const char *who);

#endif
