/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BENCH_TIMES_H
#define BENCH_TIMES_H

/* Times of one kind, in microseconds; bench/samples.h has one set only. */
#include <stddef.h>
#include <stdint.h>

struct times {
	uint32_t *us;
	size_t n, room;
};

/* Note a time. */
void times_note(struct times *t, int64_t us);

/* Print NAME_p50_us and NAME_p99_us, unless there is none. Sorts them. */
void times_print(const char *name, struct times *t);

#endif
