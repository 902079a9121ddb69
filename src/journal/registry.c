/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/heritage.h"
#include "core/pulse.h"
#include "core/stat.h"
#include "journal/registry_int.h"

#include <stdlib.h>
#include <string.h>

/*
 * How long an event loop waits for the lock, which is normally held for
 * microseconds.
 */
#define WAIT_US 200000

/* An end of a turn that waits for the lock. */
struct late_end {
	uint32_t at;
	bool was_claimed;
	registry_owner owner;
};

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
		log_warn(
		    "registry: another process holds the lock and is stuck; "
		    "requests are refused until it releases the lock");
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
	registry_settle(r, late->at);
}

static void end_late(struct registry *r)
{
	const struct late_end *late = (void *)r->late.data;
	for (size_t i = 0; i < r->late.len / sizeof *late; i++)
		end_turn(r, &late[i]);
	buf_reset(&r->late);
}

/* Returns whether we have the lock now; it can be false only on the loop. */
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
		registry_rebuild(r);
	if (is_short && r->late.len)
		end_late(r);
	return true;
}

static void give(struct registry *r)
{
	shm_lock_give(&r->region->lock);
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
		registry_lay_out(r, next_number);
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

void registry_clean_slot(struct registry *r, unsigned slot)
{
	if (!take(r))
		return;
	for (uint32_t at = 0; at < r->region->high; at++) {
		registry_set_listener(&r->entries[at], slot, false);
		registry_settle(r, at);
	}
	give(r);
}

static void listen(struct registry *r, uint32_t at, unsigned slot)
{
	struct entry *e = &r->entries[at];
	if (slot != UINT32_MAX)
		registry_set_listener(e, slot, true);
	/* A running turn stays active by its events, not by its watchers. */
	if (atomic_load(&e->state) == ENTRY_IDLE)
		atomic_store(&e->active_ms, clock_mono_ms());
	registry_settle(r, at);
}

uint32_t registry_find(struct registry *r, const uint8_t *key, unsigned slot)
{
	if (!take(r))
		return REGISTRY_NONE;
	uint32_t at = registry_find_key(r, key);
	if (at != REGISTRY_NONE)
		listen(r, at, slot);
	give(r);
	return at;
}

uint32_t registry_look(struct registry *r, const uint8_t *key)
{
	if (!take(r))
		return REGISTRY_NONE;
	uint32_t at = registry_find_key(r, key);
	give(r);
	return at;
}

static const uint8_t nobody[REGISTRY_KEY];

bool registry_may_see(
    struct registry *r, uint32_t at, const uint8_t caller[REGISTRY_KEY])
{
	const struct entry *e = &r->entries[at];
	/*
	 * The caller of an entry with listeners does not change, so no lock is
	 * needed then.
	 */
	bool is_ours = take(r);
	bool may_see = memcmp(e->caller, nobody, REGISTRY_KEY) == 0 ||
		       memcmp(e->caller, caller, REGISTRY_KEY) == 0;
	if (is_ours)
		give(r);
	return may_see;
}

uint32_t registry_add(struct registry *r, const uint8_t *key, unsigned slot,
    const struct registry_seed *seed)
{
	if (!take(r))
		return REGISTRY_NONE;
	uint32_t at = registry_find_key(r, key);
	if (at == REGISTRY_NONE)
		at = registry_insert(r, key, seed);
	if (at != REGISTRY_NONE)
		listen(r, at, slot);
	else
		stat_add(full, 1);
	give(r);
	return at;
}

void registry_leave(struct registry *r, uint32_t at, unsigned slot)
{
	/* Without the lock, the entry becomes evictable at the next sweep. */
	bool is_ours = take(r);
	registry_set_listener(&r->entries[at], slot, false);
	if (!is_ours)
		return;
	registry_settle(r, at);
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
	if (atomic_load(&e->state) == ENTRY_IDLE &&
	    !atomic_load(&e->is_deleted)) {
		turn = atomic_load(&e->turn) + 1;
		atomic_store(&e->turn, turn);
		atomic_store(&e->closing, 0);
		atomic_store(&e->owner, self);
		atomic_store(&e->claim, claim);
		entry_clear_question(e);
		atomic_store(&e->active_ms, clock_mono_ms());
		atomic_store(&e->state, ENTRY_RUNNING);
		registry_settle(r, at);
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

bool registry_delete(struct registry *r, uint32_t at, registry_owner self)
{
	struct entry *e = &r->entries[at];
	if (!take(r))
		return false;
	if (atomic_load(&e->owner) == self) {
		registry_unhash(r, at);
		atomic_store(&e->is_deleted, 1);
		atomic_fetch_add(&e->head, 1);
		atomic_store(&e->owner, 0);
		entry_clear_question(e);
		atomic_store(&e->state, ENTRY_IDLE);
		registry_settle(r, at);
	}
	give(r);
	return true;
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
	uint32_t at = registry_find_key(r, key);
	struct entry *e = at == REGISTRY_NONE ? NULL : &r->entries[at];
	if (!e) {
		at = registry_insert(r, key, seed);
	} else if (atomic_load(&e->state) == ENTRY_IDLE &&
		   e->number == seed->number &&
		   atomic_load(&e->turn) == seed->turn) {
		atomic_store(&e->owner, 0);
		atomic_store(&e->active_ms, clock_mono_ms());
		atomic_store(&e->state, ENTRY_RUNNING);
	}
	if (at != REGISTRY_NONE)
		registry_settle(r, at);
	give(r);
	return at != REGISTRY_NONE;
}

bool registry_knows(struct registry *r, const uint8_t *key, uint32_t turn)
{
	if (!take(r))
		return true;
	uint32_t at = registry_find_key(r, key);
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
	    &r->entries[at].owner, &owner, 0); /* on failure it is another's */
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
	registry_drop_dead(r);
	for (uint32_t at = r->region->oldest; at != REGISTRY_NONE;) {
		uint32_t next = r->entries[at].newer;
		if (atomic_load(&r->entries[at].active_ms) < before) {
			registry_remove(r, at);
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
