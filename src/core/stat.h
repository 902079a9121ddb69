/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_STAT_H
#define CORE_STAT_H

/*
 * Counters in shared memory: one set for each process slot, so that processes
 * do not share cache lines; a reader sums the sets. Counters of a dead process
 * stay; its gauges are cleared when its slot is given to another.
 */
#include <stdint.h>

struct buf;

struct stat_set {
#define COUNTER(field, name, kind, doc) uint64_t field;
#include "core/counters.tbl"
#undef COUNTER
	uint64_t padding[8];
};

/*
 * Returns the set of this process, as given to stat_use(); before that, a
 * private one.
 */
struct stat_set *stat_mine(void);

/* Count in this set from now on. */
void stat_use(struct stat_set *set);

/* Add n to a counter or gauge of this process; safe from any thread. */
#define stat_add(field, n)         \
	((void)__atomic_fetch_add( \
	    &stat_mine()->field, (uint64_t)(n), __ATOMIC_RELAXED))

/* Set the gauges of a set to 0. */
void stat_clear_gauges(struct stat_set *set);

/*
 * Append all counters, summed over the sets, as Prometheus text (version
 * 0.0.4).
 */
void stat_text(struct buf *out, const struct stat_set *sets, unsigned n_sets);

#endif
