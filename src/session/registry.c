/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "session/registry.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/heritage.h"
#include "core/pulse.h"
#include "core/stat.h"
#include "proc/shm.h"

#define REGISTRY_MAGIC 0x7265676973747279ull

/* How long an event loop waits for the lock: who holds it needs microseconds. */
#define WAIT_US 200000

/* The head of the shared memory; buckets and entries follow. */
struct region {
	_Atomic uint64_t magic;
	struct shm_lock lock;
	_Atomic uint64_t next_number;
	_Atomic uint32_t count;
	uint32_t capacity;
	uint32_t n_buckets; /* a power of two */
	uint32_t high;	    /* entries from here on were never used */
	uint32_t free;	    /* list of free entries, by chain */
	uint32_t oldest;    /* list of evictable entries */
	uint32_t newest;
};

_Static_assert(sizeof(struct entry) <= 160, "an entry fits its share");

/* The end of a turn that waits for the lock. */
struct late_end {
	uint32_t at;
	bool was_claimed;
	registry_owner owner;
};

struct registry {
	struct heritage *heritage;
	struct region *region;
	uint32_t *buckets;
	struct entry *entries;
	/* Of the thread that does not wait, if there is one. */
	bool has_loop;
	pthread_t loop;
	bool is_stuck;
	struct buf late; /* struct late_end */
};

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

/* An entry may be evicted when it is idle and nobody listens. */
static void settle(struct registry *r, uint32_t at)
{
	struct entry *e = &r->entries[at];
	bool may_go = atomic_load(&e->state) == ENTRY_IDLE && !has_listener(e);
	if (may_go && !e->is_evictable)
		link_evictable(r, at);
	if (!may_go)
		unlink_evictable(r, at);
}

static void remove_entry(struct registry *r, uint32_t at)
{
	struct entry *e = &r->entries[at];
	unlink_evictable(r, at);
	uint32_t *p = bucket_of(r, e->key);
	while (*p != at)
		p = &r->entries[*p].chain;
	*p = e->chain;
	/*
	 * Free first: a death in the middle
	 * must not leave a half-cleared entry.
	 */
	atomic_store(&e->state, ENTRY_FREE);
	memset(e, 0, sizeof *e);
	e->chain = r->region->free;
	r->region->free = at;
	atomic_fetch_sub(&r->region->count, 1);
}

/* After a death inside the lock: make every link anew from the entries. */
static void rebuild(struct registry *r)
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
		uint32_t *b = bucket_of(r, e->key);
		e->chain = *b;
		*b = at;
		count++;
		settle(r, at);
	}
	atomic_store(&g->count, count);
	log_warn("registry: a process died in it; %u sessions relinked", count);
}

static bool is_loop(const struct registry *r)
{
	return r->has_loop && pthread_equal(r->loop, pthread_self());
}

static int wait_long(struct registry *r)
{
	enum pulse_state was = pulse_set(PULSE_WAITING);
	int rc = shm_lock_take(&r->region->lock);
	(void)pulse_set(was);
	return rc;
}

static void note_stuck(struct registry *r, bool is_stuck)
{
	if (is_stuck && !r->is_stuck)
		log_warn("registry: another process has the lock and does "
			 "not move; requests are refused until it does");
	r->is_stuck = is_stuck;
}

static void end_turn(struct registry *r, const struct late_end *late)
{
	struct entry *e = &r->entries[late->at];
	if (atomic_load(&e->state) != ENTRY_RUNNING ||
	    atomic_load(&e->owner) != late->owner)
		return;
	if (!late->was_claimed)
		atomic_fetch_sub(&e->turn, 1);
	atomic_store(&e->owner, 0);
	atomic_store(&e->claim, 0);
	entry_clear_question(e);
	atomic_store(&e->active_ms, clock_mono_ms());
	atomic_store(&e->state, ENTRY_IDLE);
	settle(r, late->at);
}

static void end_late(struct registry *r)
{
	const struct late_end *late = (void *)r->late.data;
	for (size_t i = 0; i < r->late.len / sizeof *late; i++)
		end_turn(r, &late[i]);
	buf_reset(&r->late);
}

/* Whether we have the lock now; only on the loop it can be false. */
static bool take(struct registry *r)
{
	bool is_short = is_loop(r);
	int rc = shm_lock_try(
	    &r->region->lock, is_short && !r->is_stuck ? WAIT_US : 0);
	if (rc < 0 && !is_short)
		rc = wait_long(r);
	if (is_short)
		note_stuck(r, rc < 0);
	if (rc < 0)
		return false;
	if (rc)
		rebuild(r);
	if (is_short && r->late.len)
		end_late(r);
	return true;
}

static void give(struct registry *r)
{
	shm_lock_give(&r->region->lock);
}

static void lay_out(struct registry *r, uint64_t next_number)
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

static struct region *region_of(struct heritage *h)
{
	return (void *)((char *)h + h->registry_at);
}

bool registry_exists(struct heritage *h)
{
	return atomic_load(&region_of(h)->magic) == REGISTRY_MAGIC;
}

struct registry *registry_new(
    struct heritage *h, bool may_create, uint64_t next_number)
{
	struct registry *r = mem_zero(sizeof *r);
	r->heritage = h;
	r->region = region_of(h);
	if (!registry_exists(h)) {
		if (!may_create)
			panic("registry: it has not been made");
		lay_out(r, next_number);
	}
	struct region *g = r->region;
	r->buckets = (uint32_t *)(void *)(g + 1);
	r->entries = (void *)(r->buckets + g->n_buckets);
	char *end = (char *)(r->entries + g->capacity);
	if (end > (char *)g + h->registry_bytes)
		panic("registry: %llu bytes are too few",
		    (unsigned long long)h->registry_bytes);
	return r;
}

void registry_free(struct registry **r)
{
	if (*r)
		buf_fini(&(*r)->late);
	free(*r);
	*r = NULL;
}

void registry_bound(struct registry *r)
{
	r->loop = pthread_self();
	r->has_loop = true;
}

bool registry_is_stuck(const struct registry *r)
{
	return r->is_stuck;
}

void registry_catch_up(struct registry *r)
{
	if (take(r))
		give(r);
}

registry_owner registry_self(unsigned slot, uint32_t generation)
{
	return (uint64_t)generation << 8 | (slot + 1);
}

bool registry_is_alive(const struct registry *r, registry_owner owner)
{
	if (!owner)
		return false;
	unsigned slot = owner_slot(owner);
	return atomic_load(&r->heritage->slots[slot].generation) ==
	       owner_generation(owner);
}

static void set_listener(struct entry *e, unsigned slot, bool on)
{
	uint64_t bit = 1ull << (slot % 64);
	if (on)
		atomic_fetch_or(&e->listeners[slot / 64], bit);
	else
		atomic_fetch_and(&e->listeners[slot / 64], ~bit);
}

void registry_clean_slot(struct registry *r, unsigned slot)
{
	if (!take(r))
		return;
	for (uint32_t at = 0; at < r->region->high; at++) {
		set_listener(&r->entries[at], slot, false);
		settle(r, at);
	}
	give(r);
}

static uint32_t find(struct registry *r, const uint8_t *key)
{
	uint32_t at = *bucket_of(r, key);
	while (at != REGISTRY_NONE &&
	       memcmp(r->entries[at].key, key, REGISTRY_KEY) != 0)
		at = r->entries[at].chain;
	return at;
}

static void listen(struct registry *r, uint32_t at, unsigned slot)
{
	struct entry *e = &r->entries[at];
	if (slot != UINT32_MAX)
		set_listener(e, slot, true);
	/* A running turn shows its life by events, not by who looks at it. */
	if (atomic_load(&e->state) == ENTRY_IDLE)
		atomic_store(&e->active_ms, clock_mono_ms());
	settle(r, at);
}

uint32_t registry_find(struct registry *r, const uint8_t *key, unsigned slot)
{
	if (!take(r))
		return REGISTRY_NONE;
	uint32_t at = find(r, key);
	if (at != REGISTRY_NONE)
		listen(r, at, slot);
	give(r);
	return at;
}

uint32_t registry_look(struct registry *r, const uint8_t *key)
{
	if (!take(r))
		return REGISTRY_NONE;
	uint32_t at = find(r, key);
	give(r);
	return at;
}

static const uint8_t nobody[REGISTRY_KEY];

bool registry_may_see(
    struct registry *r, uint32_t at, const uint8_t caller[REGISTRY_KEY])
{
	const struct entry *e = &r->entries[at];
	/* Of an entry that is listened to it does not change. */
	bool is_ours = take(r);
	bool may_see = memcmp(e->caller, nobody, REGISTRY_KEY) == 0 ||
		       memcmp(e->caller, caller, REGISTRY_KEY) == 0;
	if (is_ours)
		give(r);
	return may_see;
}

/* Listeners of processes that are gone keep nothing. */
static void drop_dead_listeners(struct registry *r)
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
		settle(r, at);
	}
}

static bool make_room(struct registry *r)
{
	struct region *g = r->region;
	if (g->free != REGISTRY_NONE || g->high < g->capacity)
		return true;
	if (g->oldest == REGISTRY_NONE)
		drop_dead_listeners(r);
	if (g->oldest == REGISTRY_NONE)
		return false;
	remove_entry(r, g->oldest);
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

static uint32_t insert(
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
	uint32_t *b = bucket_of(r, key);
	e->chain = *b;
	*b = at;
	atomic_fetch_add(&r->region->count, 1);
	atomic_store(&e->state, seed->is_running ? ENTRY_RUNNING : ENTRY_IDLE);
	settle(r, at);
	return at;
}

uint32_t registry_add(struct registry *r, const uint8_t *key, unsigned slot,
    const struct registry_seed *seed)
{
	if (!take(r))
		return REGISTRY_NONE;
	uint32_t at = find(r, key);
	if (at == REGISTRY_NONE)
		at = insert(r, key, seed);
	if (at != REGISTRY_NONE)
		listen(r, at, slot);
	else
		stat_add(full, 1);
	give(r);
	return at;
}

void registry_leave(struct registry *r, uint32_t at, unsigned slot)
{
	/* Without the lock it may go at the next sweep. */
	bool is_ours = take(r);
	set_listener(&r->entries[at], slot, false);
	if (!is_ours)
		return;
	settle(r, at);
	give(r);
}

struct entry *registry_entry(struct registry *r, uint32_t at)
{
	return &r->entries[at];
}

uint32_t registry_begin(
    struct registry *r, uint32_t at, registry_owner self, uint64_t claim)
{
	struct entry *e = &r->entries[at];
	uint32_t turn = 0;
	if (!take(r))
		return 0;
	if (atomic_load(&e->state) == ENTRY_IDLE) {
		turn = atomic_load(&e->turn) + 1;
		atomic_store(&e->turn, turn);
		atomic_store(&e->closing, 0);
		atomic_store(&e->owner, self);
		atomic_store(&e->claim, claim);
		entry_clear_question(e);
		atomic_store(&e->active_ms, clock_mono_ms());
		atomic_store(&e->state, ENTRY_RUNNING);
		settle(r, at);
	}
	give(r);
	return turn;
}

void registry_end(
    struct registry *r, uint32_t at, registry_owner self, bool was_claimed)
{
	const struct late_end end = {at, was_claimed, self};
	if (!take(r)) {
		buf_append(&r->late, &end, sizeof end);
		return;
	}
	end_turn(r, &end);
	give(r);
}

bool registry_take(struct registry *r, uint32_t at, registry_owner self)
{
	struct entry *e = &r->entries[at];
	if (!take(r))
		return false;
	bool free = atomic_load(&e->state) == ENTRY_RUNNING &&
		    !registry_is_alive(r, atomic_load(&e->owner));
	if (free) {
		atomic_store(&e->closing, 0);
		atomic_store(&e->owner, self);
	}
	give(r);
	return free;
}

bool registry_orphan(
    struct registry *r, const uint8_t *key, const struct registry_seed *seed)
{
	if (!take(r))
		return true; /* the next sweep finds it again */
	uint32_t at = find(r, key);
	struct entry *e = at == REGISTRY_NONE ? NULL : &r->entries[at];
	if (!e) {
		at = insert(r, key, seed);
	} else if (atomic_load(&e->state) == ENTRY_IDLE &&
		   e->number == seed->number &&
		   atomic_load(&e->turn) == seed->turn) {
		atomic_store(&e->owner, 0);
		atomic_store(&e->active_ms, clock_mono_ms());
		atomic_store(&e->state, ENTRY_RUNNING);
	}
	if (at != REGISTRY_NONE)
		settle(r, at);
	give(r);
	return at != REGISTRY_NONE;
}

bool registry_knows(struct registry *r, const uint8_t *key, uint32_t turn)
{
	if (!take(r))
		return true;
	uint32_t at = find(r, key);
	bool knows = at != REGISTRY_NONE &&
		     (atomic_load(&r->entries[at].state) == ENTRY_RUNNING ||
			 atomic_load(&r->entries[at].turn) != turn);
	give(r);
	return knows;
}

void registry_disown(struct registry *r, uint32_t at, registry_owner self)
{
	uint64_t owner = self;
	(void)atomic_compare_exchange_strong(
	    &r->entries[at].owner, &owner, 0); /* else it is another's */
}

void registry_found(struct registry *r, uint32_t at, uint64_t began,
    uint32_t ended, uint64_t head)
{
	struct entry *e = &r->entries[at];
	atomic_store(&e->ended, ended);
	if (began) {
		atomic_store(&e->began, began);
		atomic_store(&e->begun, atomic_load(&e->turn));
	}
	registry_grew(r, at, e->number, head);
}

void registry_grew(
    struct registry *r, uint32_t at, uint64_t number, uint64_t seq)
{
	struct entry *e = &r->entries[at];
	if (e->number != number)
		return;
	uint64_t head = atomic_load(&e->head);
	while (
	    head < seq && !atomic_compare_exchange_weak(&e->head, &head, seq))
		;
	atomic_store(&e->active_ms, clock_mono_ms());
}

void registry_lost_end(
    struct registry *r, uint32_t at, uint64_t number, uint32_t turn)
{
	struct entry *e = &r->entries[at];
	if (e->number != number)
		return;
	uint64_t seq = atomic_load(&e->head) + 1;
	if (atomic_load(&e->begun) != turn) {
		atomic_store(&e->began, seq);
		atomic_store(&e->begun, turn);
	}
	atomic_store(&e->ended, turn);
	registry_grew(r, at, number, seq);
}

void registry_orphans(struct registry *r, uint32_t *cursor, uint32_t most,
    void (*fn)(uint32_t, struct entry *, void *), void *arg)
{
	uint32_t high = r->region->high;
	for (; most && *cursor < high; most--, (*cursor)++) {
		struct entry *e = &r->entries[*cursor];
		if (atomic_load(&e->state) == ENTRY_RUNNING &&
		    !registry_is_alive(r, atomic_load(&e->owner)))
			fn(*cursor, e, arg);
	}
	if (*cursor >= high)
		*cursor = 0;
}

unsigned registry_sweep(struct registry *r, int64_t idle_ms)
{
	int64_t before = clock_mono_ms() - idle_ms;
	unsigned removed = 0;
	if (!take(r))
		return 0;
	drop_dead_listeners(r);
	for (uint32_t at = r->region->oldest; at != REGISTRY_NONE;) {
		uint32_t next = r->entries[at].newer;
		if (atomic_load(&r->entries[at].active_ms) < before) {
			remove_entry(r, at);
			removed++;
		}
		at = next;
	}
	give(r);
	return removed;
}

bool registry_has_room(const struct registry *r)
{
	const struct region *g = r->region;
	return registry_count(r) < g->capacity || g->oldest != REGISTRY_NONE;
}

unsigned registry_count(const struct registry *r)
{
	return atomic_load(&r->region->count);
}
