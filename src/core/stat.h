/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_STAT_H
#define CORE_STAT_H

/*
 * Counters in shared memory: one set for each process slot, so that processes
 * do not share cache lines; a reader sums the sets. Counters of a dead process
 * stay; its gauges are cleared when its slot is given to another.
 */
#include <stddef.h>
#include <stdint.h>

struct buf;

enum stat_kind {
	STAT_COUNTER,
	STAT_GAUGE,
	STAT_MICROS, /* a counter in microseconds, shown in seconds */
};

/* A row of a table of counters, and where it is in a set. */
struct stat_row {
	const char *name;
	const char *doc;
	size_t at;
	enum stat_kind kind;
};

/* The calls below for any program's rows and sets. */
void stat_rows_clear_gauges(
    const struct stat_row *row, size_t n_rows, void *set);
void stat_rows_text(struct buf *out, const struct stat_row *row, size_t n_rows,
    const void *sets, size_t set_size, unsigned n_sets);

/* How many counters of co-hostd there are. */
enum {
#define COUNTER(field, name, kind, doc) STAT_OF_##field,
#include "core/counters.tbl"
#undef COUNTER
	STAT_COUNT
};

/*
 * There is room for so many: a program with further ones, at the end, can take
 * over the memory of this one (master/handover.h).
 */
#define STAT_ROOM 256

/* The counters of co-hostd. */
struct stat_set {
#define COUNTER(field, name, kind, doc) uint64_t field;
#include "core/counters.tbl"
#undef COUNTER
	uint64_t room[STAT_ROOM - STAT_COUNT];
};

/* Returns a digest of the names of the first n counters, in their order. */
uint64_t stat_digest(size_t n);

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

/*
 * Append the same as the members of a JSON object, without braces; the names
 * are those of the table, without "cohostd_".
 */
void stat_json(struct buf *out, const struct stat_set *sets, unsigned n_sets);

#endif
