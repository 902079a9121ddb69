/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "limits/gauge.h"

#include "core/heritage.h"
#include "identity/digest.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/*
 * A key may be in either of two rows of this many places, so that a table can
 * become nearly full.
 */
#define ROW 8
#define ROWS (HERITAGE_GAUGES / ROW)
#define PROBES (2 * ROW)

#define NAME_BYTES 300

static uint64_t gauge_key_of(enum gauge_kind kind, const char *who)
{
	char name[NAME_BYTES];
	uint8_t digest[16];
	uint64_t key;
	int n = snprintf(name, sizeof name, "gauge %d %s", (int)kind, who);
	size_t len = (size_t)n < sizeof name ? (size_t)n : sizeof name - 1;
	digest_of(digest, name, len);
	memcpy(&key, digest, sizeof key);
	return key ? key : 1;
}

static uint32_t place_of(uint64_t key, uint32_t i)
{
	uint64_t row = i < ROW ? key : key >> 32;
	return (uint32_t)(row % ROWS) * ROW + i % ROW;
}

static struct heritage_gauges *table_of(const struct gauge *g, unsigned slot)
{
	return &g->heritage->gauges[slot];
}

/*
 * A count of another generation belongs to a dead process and reads as 0, so
 * that a new process need not clear the whole table.
 */
static uint64_t count_at(struct heritage_gauge *p, uint32_t generation)
{
	uint64_t count = atomic_load(&p->count);
	return count >> 32 == generation ? count & UINT32_MAX : 0;
}

static void set_count(struct gauge *g, uint32_t at, uint64_t count)
{
	atomic_store(&table_of(g, g->slot)->places[at].count,
	    (uint64_t)g->generation << 32 | count);
}

/* Only the process that owns the table writes to it. */
static uint32_t find_or_make(struct gauge *g, uint64_t key)
{
	struct heritage_gauges *t = table_of(g, g->slot);
	uint32_t empty = HERITAGE_GAUGES;
	for (uint32_t i = 0; i < PROBES; i++) {
		uint32_t at = place_of(key, i);
		if (!count_at(&t->places[at], g->generation))
			empty = empty == HERITAGE_GAUGES ? at : empty;
		else if (atomic_load(&t->places[at].key) == key)
			return at;
	}
	if (empty != HERITAGE_GAUGES)
		atomic_store(&t->places[empty].key, key);
	return empty;
}

static uint64_t count_in(
    struct heritage_gauges *t, uint32_t generation, uint64_t key)
{
	for (uint32_t i = 0; i < PROBES; i++) {
		struct heritage_gauge *p = &t->places[place_of(key, i)];
		uint64_t count = count_at(p, generation);
		if (count && atomic_load(&p->key) == key)
			return count;
	}
	return 0;
}

/* The generation of the live process that owns this table, or 0. */
static uint32_t counts_in(const struct gauge *g, unsigned slot)
{
	uint32_t generation = atomic_load(&g->heritage->slots[slot].generation);
	bool is_open =
	    generation & 1 &&
	    atomic_load(&table_of(g, slot)->generation) == generation;
	return is_open ? generation : 0;
}

static uint64_t count_all(const struct gauge *g, uint64_t key)
{
	uint64_t n = 0;
	for (unsigned slot = 0; slot < HERITAGE_SLOTS; slot++) {
		uint32_t generation = counts_in(g, slot);
		if (generation)
			n += count_in(table_of(g, slot), generation, key);
	}
	return n;
}

struct gauge gauge_open(struct heritage *h, unsigned slot, uint32_t generation)
{
	struct gauge g = {
	    .heritage = h, .slot = slot, .generation = generation};
	atomic_store(&table_of(&g, slot)->generation, generation);
	return g;
}

bool gauge_take(struct gauge *g, enum gauge_kind kind, const char *who,
    int64_t most, gauge_hold *hold)
{
	uint64_t key = gauge_key_of(kind, who);
	uint32_t at = find_or_make(g, key);
	*hold = 0;
	if (at == HERITAGE_GAUGES)
		return true;
	struct heritage_gauge *p = &table_of(g, g->slot)->places[at];
	*hold = at + 1;
	/*
	 * Count first and then compare: of two processes, the later one sees
	 * both.
	 */
	set_count(g, at, count_at(p, g->generation) + 1);
	if (!most || count_all(g, key) <= (uint64_t)most)
		return true;
	gauge_drop(g, hold);
	return false;
}

void gauge_drop(struct gauge *g, gauge_hold *hold)
{
	if (*hold) {
		uint32_t at = *hold - 1;
		struct heritage_gauge *p = &table_of(g, g->slot)->places[at];
		set_count(g, at, count_at(p, g->generation) - 1);
	}
	*hold = 0;
}

int64_t gauge_count(
    const struct gauge *g, enum gauge_kind kind, const char *who)
{
	return (int64_t)count_all(g, gauge_key_of(kind, who));
}
