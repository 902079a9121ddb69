/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef LIMITS_GAUGE_H
#define LIMITS_GAUGE_H

/*
 * How many of something somebody has now, over all processes: sockets, turns.
 * Each process counts what it holds itself in a table of its own in shared
 * memory, and whoever asks adds the tables of living processes up. So what a
 * process held is gone when it dies, and no count leaks. No locks; a process
 * calls from one thread.
 *
 * What finds no place in a table that is full is not counted.
 */
#include <stdbool.h>
#include <stdint.h>

struct heritage;

/* What is counted. */
enum gauge_kind {
	GAUGE_RUNS,
	GAUGE_PEER_RUNS,
	GAUGE_SOCKETS,
	GAUGE_PEER_SOCKETS
};

/* The table of a process. */
struct gauge {
	struct heritage *heritage;
	unsigned slot;
	uint32_t generation;
};

/* One that is counted: a place from 1, or 0 for none. */
typedef uint32_t gauge_hold;

/* Take over the table of the slot, empty, for the process of this generation. */
struct gauge gauge_open(struct heritage *h, unsigned slot, uint32_t generation);

/*
 * Count one more. False, with nothing counted, when there are 'most' already
 * (0: no limit). Two processes that count the last one at the same moment may
 * both be refused, but never both be let in.
 */
bool gauge_take(struct gauge *g, enum gauge_kind kind, const char *who,
    int64_t most, gauge_hold *hold);

/* Count one less; *hold is 0 then. Harmless when it was. */
void gauge_drop(struct gauge *g, gauge_hold *hold);

/* How many there are. */
int64_t gauge_count(
    const struct gauge *g, enum gauge_kind kind, const char *who);

#endif
