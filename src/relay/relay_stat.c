/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "relay/relay_stat.h"

#include "core/stat.h"

#include <stddef.h>

static const struct stat_row rows[] = {
#define COUNTER(field, name, kind, doc)                              \
	{"corelayd_" name, doc, offsetof(struct relay_stats, field), \
	    STAT_##kind},
#include "relay/counters.tbl"
#undef COUNTER
};

#define N_ROWS (sizeof rows / sizeof *rows)

static struct relay_stats private_set;
static struct relay_stats *mine = &private_set;

struct relay_stats *relay_stat_mine(void)
{
	return mine;
}

void relay_stat_use(struct relay_stats *set)
{
	relay_stat_clear_gauges(set);
	mine = set;
}

void relay_stat_clear_gauges(struct relay_stats *set)
{
	stat_rows_clear_gauges(rows, N_ROWS, set);
}

void relay_stat_text(
    struct buf *out, const struct relay_stats *sets, unsigned n_sets)
{
	stat_rows_text(out, rows, N_ROWS, sets, sizeof *sets, n_sets);
}
