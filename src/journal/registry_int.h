/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef JOURNAL_REGISTRY_INT_H
#define JOURNAL_REGISTRY_INT_H

/*
 * Private to the registry: what lies in the shared memory. registry.c takes the
 * lock and does what registry.h says; under the lock, registry_links.c keeps the
 * hash table, the list of entries that may be evicted, and the free entries.
 */
#include "base/buf.h"
#include "journal/registry.h"
#include "proc/shm.h"

#include <pthread.h>

#define REGISTRY_MAGIC 0x7265676973747279ull

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

struct registry {
	struct heritage *heritage;
	struct region *region;
	uint32_t *buckets;
	struct entry *entries;
	/* Of the thread that does not wait, if there is one. */
	bool has_loop;
	pthread_t loop;
	bool is_stuck;
	struct buf late; /* ends of turns that wait for the lock */
};

/* Lay out a region that is all zero. */
void registry_lay_out(struct registry *r, uint64_t next_number);

/* After a death inside the lock: make every link anew from the entries. */
void registry_rebuild(struct registry *r);

/* The entry of a key, or REGISTRY_NONE. */
uint32_t registry_find_key(struct registry *r, const uint8_t *key);

/* Add an entry; REGISTRY_NONE when none can be evicted. */
uint32_t registry_insert(
    struct registry *r, const uint8_t *key, const struct registry_seed *seed);

/* Take an entry out and free it. */
void registry_remove(struct registry *r, uint32_t at);

/* After its state or its listeners changed: whether it may be evicted now. */
void registry_settle(struct registry *r, uint32_t at);

/* Note whether a process listens to an entry; also without the lock. */
void registry_set_listener(struct entry *e, unsigned slot, bool on);

/* Forget the listeners of processes that are gone: they keep nothing. */
void registry_drop_dead(struct registry *r);

#endif
