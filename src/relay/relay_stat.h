/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef RELAY_RELAY_STAT_H
#define RELAY_RELAY_STAT_H

/*
 * The counters of co-relayd (relay/counters.tbl) in shared memory: a set for
 * each process slot, which a reader sums.
 */
#include <stdint.h>

struct buf;

struct relay_stats {
#define COUNTER(field, name, kind, doc) uint64_t field;
#include "relay/counters.tbl"
#undef COUNTER
	uint64_t padding[8];
};

/*
 * Returns the set of this process, as given to relay_stat_use(); before that, a
 * private one.
 */
struct relay_stats *relay_stat_mine(void);

/* Count in this set from now on; its gauges begin at 0. */
void relay_stat_use(struct relay_stats *set);

/* Add n to a counter or gauge of this process; safe from any thread. */
#define relay_stat_add(field, n)   \
	((void)__atomic_fetch_add( \
	    &relay_stat_mine()->field, (uint64_t)(n), __ATOMIC_RELAXED))

/* Set the gauges of a set to 0; its process is gone. */
void relay_stat_clear_gauges(struct relay_stats *set);

/* Append all counters, summed over the sets, as Prometheus text. */
void relay_stat_text(
    struct buf *out, const struct relay_stats *sets, unsigned n_sets);

#endif
