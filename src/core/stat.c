/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "core/stat.h"

#include "base/buf.h"

#include <stddef.h>
#include <string.h>

/* What the name of each metric begins with. */
#define PREFIX "cohostd_"

static const struct stat_row rows[] = {
#define COUNTER(field, name, kind, doc) \
	{PREFIX name, doc, offsetof(struct stat_set, field), STAT_##kind},
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

uint64_t stat_digest(size_t n)
{
	uint64_t digest = 0xcbf29ce484222325ull; /* FNV-1a */
	for (size_t i = 0; i < n && i < N_ROWS; i++)
		for (const char *c = rows[i].name; *c; c++)
			digest =
			    (digest ^ (unsigned char)*c) * 0x100000001b3ull;
	return digest;
}

static uint64_t *field_of(void *set, const struct stat_row *row)
{
	return (uint64_t *)(void *)((char *)set + row->at);
}

void stat_rows_clear_gauges(
    const struct stat_row *row, size_t n_rows, void *set)
{
	for (size_t i = 0; i < n_rows; i++)
		if (row[i].kind == STAT_GAUGE)
			__atomic_store_n(
			    field_of(set, &row[i]), 0, __ATOMIC_RELAXED);
}

static uint64_t read_field(const char *set, const struct stat_row *row)
{
	uint64_t v;
	memcpy(&v, set + row->at, sizeof v);
	return v;
}

static void put_value(struct buf *out, enum stat_kind kind, uint64_t v)
{
	if (kind == STAT_MICROS)
		buf_printf(out, "%llu.%06llu", (unsigned long long)v / 1000000,
		    (unsigned long long)v % 1000000);
	else
		buf_printf(out, "%llu", (unsigned long long)v);
}

static uint64_t sum_of(const struct stat_row *row, const void *sets,
    size_t set_size, unsigned n_sets)
{
	uint64_t sum = 0;
	for (unsigned s = 0; s < n_sets; s++)
		sum += read_field((const char *)sets + s * set_size, row);
	return sum;
}

void stat_rows_text(struct buf *out, const struct stat_row *row, size_t n_rows,
    const void *sets, size_t set_size, unsigned n_sets)
{
	for (size_t i = 0; i < n_rows; i++, row++) {
		buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s ", row->name,
		    row->doc, row->name,
		    row->kind == STAT_GAUGE ? "gauge" : "counter", row->name);
		put_value(out, row->kind, sum_of(row, sets, set_size, n_sets));
		buf_char(out, '\n');
	}
}

void stat_clear_gauges(struct stat_set *set)
{
	stat_rows_clear_gauges(rows, N_ROWS, set);
}

void stat_text(struct buf *out, const struct stat_set *sets, unsigned n_sets)
{
	stat_rows_text(out, rows, N_ROWS, sets, sizeof *sets, n_sets);
}

void stat_json(struct buf *out, const struct stat_set *sets, unsigned n_sets)
{
	for (size_t i = 0; i < N_ROWS; i++) {
		buf_printf(out, "%s\"%s\":", i ? "," : "",
		    rows[i].name + strlen(PREFIX));
		put_value(out, rows[i].kind,
		    sum_of(&rows[i], sets, sizeof *sets, n_sets));
	}
}
