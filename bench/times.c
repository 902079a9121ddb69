/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "bench/times.h"

#include "bench/peer.h"

#include <stdio.h>
#include <stdlib.h>

void times_note(struct times *t, int64_t us)
{
	if (t->n == t->room) {
		t->room = t->room ? 2 * t->room : 65536;
		t->us = realloc(t->us, t->room * sizeof *t->us);
		if (!t->us)
			die("out of memory");
	}
	t->us[t->n++] = (uint32_t)us;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

void times_print(const char *name, struct times *t)
{
	if (!t->n)
		return;
	qsort(t->us, t->n, sizeof *t->us, compare);
	printf("%s_p50_us %u\n%s_p99_us %u\n", name, t->us[t->n / 2], name,
	    t->us[t->n * 99 / 100]);
}
