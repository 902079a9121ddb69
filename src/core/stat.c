/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "core/stat.h"

#include "base/buf.h"

#include <stddef.h>
#include <string.h>

enum kind { KIND_COUNTER, KIND_GAUGE, KIND_MICROS };

struct counter_row {
	const char *name;
	const char *doc;
	size_t at;
	enum kind kind;
};

static const struct counter_row rows[] = {
#define COUNTER(field, name, kind, doc) \
	{"cohostd_" name, doc, offsetof(struct stat_set, field), KIND_##kind},
#include "core/counters.tbl"
#undef COUNTER
};

#define N_ROWS (sizeof rows / sizeof *rows)

static struct stat_set private_set;
static struct stat_set *mine = &private_set;

struct stat_set *stat_mine(void)
{
	return mine;
}

void stat_use(struct stat_set *set)
{
	mine = set;
}

static uint64_t *field_of(struct stat_set *set, const struct counter_row *row)
{
	return (uint64_t *)(void *)((char *)set + row->at);
}

void stat_clear_gauges(struct stat_set *set)
{
	for (size_t i = 0; i < N_ROWS; i++)
		if (rows[i].kind == KIND_GAUGE)
			__atomic_store_n(
			    field_of(set, &rows[i]), 0, __ATOMIC_RELAXED);
}

static uint64_t read_field(
    const struct stat_set *set, const struct counter_row *row)
{
	uint64_t v;
	memcpy(&v, (const char *)set + row->at, sizeof v);
	return v;
}

static void put_value(struct buf *out, enum kind kind, uint64_t v)
{
	if (kind == KIND_MICROS)
		buf_printf(out, "%llu.%06llu\n",
		    (unsigned long long)v / 1000000,
		    (unsigned long long)v % 1000000);
	else
		buf_printf(out, "%llu\n", (unsigned long long)v);
}

void stat_text(struct buf *out, const struct stat_set *sets, unsigned n_sets)
{
	for (size_t i = 0; i < N_ROWS; i++) {
		uint64_t sum = 0;
		for (unsigned s = 0; s < n_sets; s++)
			sum += read_field(&sets[s], &rows[i]);
		buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s ", rows[i].name,
		    rows[i].doc, rows[i].name,
		    rows[i].kind == KIND_GAUGE ? "gauge" : "counter",
		    rows[i].name);
		put_value(out, rows[i].kind, sum);
	}
}
