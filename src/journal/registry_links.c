/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
/*
 * The links between the entries in the shared memory. The caller holds the
 * lock.
 */
#include "journal/registry_int.h"

#include "base/clock.h"
#include "base/log.h"
#include "core/heritage.h"
#include "core/stat.h"

#include <string.h>

static uint32_t *bucket_of(struct registry *r, const uint8_t *key)
{
	uint32_t hash;
	memcpy(&hash, key, sizeof hash);
	return &r->buckets[hash & (r->region->n_buckets - 1)];
}

static bool has_listener(const struct entry *e)
{
	return atomic_load(&e->listeners[0]) || atomic_load(&e->listeners[1]);
}

static void unlink_evictable(struct registry *r, uint32_t at)
{
	struct entry *e = &r->entries[at];
	if (!e->is_evictable)
		return;
	if (e->older != REGISTRY_NONE)
		r->entries[e->older].newer = e->newer;
	else
		r->region->oldest = e->newer;
	if (e->newer != REGISTRY_NONE)
		r->entries[e->newer].older = e->older;
	else
		r->region->newest = e->older;
	e->is_evictable = 0;
}

static void link_evictable(struct registry *r, uint32_t at)
{
	struct entry *e = &r->entries[at];
	e->older = r->region->newest;
	e->newer = REGISTRY_NONE;
	if (e->older != REGISTRY_NONE)
		r->entries[e->older].newer = at;
	else
		r->region->oldest = at;
	r->region->newest = at;
	e->is_evictable = 1;
}

static void hash(struct registry *r, uint32_t at)
{
	uint32_t *b = bucket_of(r, r->entries[at].key);
	r->entries[at].chain = *b;
	*b = at;
}

void registry_unhash(struct registry *r, uint32_t at)
{
	uint32_t *p = bucket_of(r, r->entries[at].key);
	while (*p != at)
		p = &r->entries[*p].chain;
	*p = r->entries[at].chain;
}

static void free_entry(struct registry *r, uint32_t at)
{
	struct entry *e = &r->entries[at];
	/*
	 * Mark it free first: a death in the middle must not leave a
	 * half-cleared entry.
	 */
	atomic_store(&e->state, ENTRY_FREE);
	memset(e, 0, sizeof *e);
	e->chain = r->region->free;
	r->region->free = at;
	atomic_fetch_sub(&r->region->count, 1);
}

/* An entry may be evicted if it is idle and has no listeners. */
void registry_settle(struct registry *r, uint32_t at)
{
	struct entry *e = &r->entries[at];
	bool may_go = atomic_load(&e->state) == ENTRY_IDLE && !has_listener(e);
	if (may_go && atomic_load(&e->is_deleted)) {
		unlink_evictable(r, at);
		free_entry(r, at);
		return;
	}
	if (may_go && !e->is_evictable)
		link_evictable(r, at);
	if (!may_go)
		unlink_evictable(r, at);
}

void registry_remove(struct registry *r, uint32_t at)
{
	unlink_evictable(r, at);
	registry_unhash(r, at);
	free_entry(r, at);
}

void registry_rebuild(struct registry *r)
{
	struct region *g = r->region;
	uint32_t count = 0;
	memset(r->buckets, 0xff, g->n_buckets * sizeof *r->buckets);
	g->free = g->oldest = g->newest = REGISTRY_NONE;
	for (uint32_t at = 0; at < g->high; at++) {
		struct entry *e = &r->entries[at];
		e->is_evictable = 0;
		if (atomic_load(&e->state) == ENTRY_FREE) {
			memset(e, 0, sizeof *e);
			e->chain = g->free;
			g->free = at;
			continue;
		}
		if (!atomic_load(&e->is_deleted))
			hash(r, at);
		count++;
	}
	atomic_store(&g->count, count);
	for (uint32_t at = 0; at < g->high; at++)
		if (atomic_load(&r->entries[at].state) != ENTRY_FREE)
			registry_settle(r, at);
	log_warn("registry: lock holder died; rebuilt the links of %u sessions",
	    count);
}

void registry_set_listener(struct entry *e, unsigned slot, bool on)
{
	uint64_t bit = 1ull << (slot % 64);
	if (on)
		atomic_fetch_or(&e->listeners[slot / 64], bit);
	else
		atomic_fetch_and(&e->listeners[slot / 64], ~bit);
}

uint32_t registry_find_key(struct registry *r, const uint8_t *key)
{
	uint32_t at = *bucket_of(r, key);
	while (at != REGISTRY_NONE &&
	       memcmp(r->entries[at].key, key, REGISTRY_KEY) != 0)
		at = r->entries[at].chain;
	return at;
}

void registry_drop_dead(struct registry *r)
{
	uint64_t alive[2] = {0, 0};
	for (unsigned i = 0; i < HERITAGE_SLOTS; i++)
		if (atomic_load(&r->heritage->slots[i].generation) & 1)
			alive[i / 64] |= 1ull << (i % 64);
	for (uint32_t at = 0; at < r->region->high; at++) {
		struct entry *e = &r->entries[at];
		if (atomic_load(&e->state) == ENTRY_FREE)
			continue;
		atomic_fetch_and(&e->listeners[0], alive[0]);
		atomic_fetch_and(&e->listeners[1], alive[1]);
		registry_settle(r, at);
	}
}

static bool make_room(struct registry *r)
{
	struct region *g = r->region;
	if (g->free != REGISTRY_NONE || g->high < g->capacity)
		return true;
	if (g->oldest == REGISTRY_NONE)
		registry_drop_dead(r);
	if (g->free != REGISTRY_NONE)
		return true; /* deleted ones, to which only the dead listened */
	if (g->oldest == REGISTRY_NONE)
		return false;
	registry_remove(r, g->oldest);
	stat_add(evictions, 1);
	return true;
}

static uint32_t new_entry(struct registry *r)
{
	struct region *g = r->region;
	uint32_t at = g->free;
	if (at == REGISTRY_NONE)
		return g->high++;
	g->free = r->entries[at].chain;
	return at;
}

uint32_t registry_insert(
    struct registry *r, const uint8_t *key, const struct registry_seed *seed)
{
	if (!make_room(r))
		return REGISTRY_NONE;
	uint32_t at = new_entry(r);
	struct entry *e = &r->entries[at];
	memset(e, 0, sizeof *e);
	memcpy(e->key, key, REGISTRY_KEY);
	memcpy(e->caller, seed->caller, REGISTRY_KEY);
	e->number = seed->number ? seed->number
				 : atomic_fetch_add(&r->region->next_number, 1);
	atomic_store(&e->head, seed->head);
	atomic_store(&e->began, seed->began);
	atomic_store(&e->turn, seed->turn);
	atomic_store(&e->begun, seed->turn);
	atomic_store(&e->ended, seed->ended);
	atomic_store(&e->active_ms, clock_mono_ms());
	hash(r, at);
	atomic_fetch_add(&r->region->count, 1);
	atomic_store(&e->state, seed->is_running ? ENTRY_RUNNING : ENTRY_IDLE);
	registry_settle(r, at);
	return at;
}

void registry_lay_out(struct registry *r, uint64_t next_number)
{
	struct region *g = r->region;
	uint64_t sessions = r->heritage->max_sessions;
	g->n_buckets = 64;
	while (g->n_buckets < sessions)
		g->n_buckets *= 2;
	g->capacity = (uint32_t)sessions;
	g->free = g->oldest = g->newest = REGISTRY_NONE;
	atomic_store(&g->next_number, next_number);
	shm_lock_init(&g->lock);
	r->buckets = (uint32_t *)(void *)(g + 1);
	memset(r->buckets, 0xff, g->n_buckets * sizeof *r->buckets);
	atomic_store(&g->magic, REGISTRY_MAGIC);
}
