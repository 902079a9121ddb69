/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef JOURNAL_REGISTRY_INT_H
#define JOURNAL_REGISTRY_INT_H

/*
 * Private to the registry: the contents of the shared memory. registry.c takes
 * the lock and implements registry.h; under the lock, registry_links.c
 * maintains the hash table, the eviction list and the free list.
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
	uint32_t high;	    /* entries from here on are unused */
	uint32_t free;	    /* list of free entries, by chain */
	uint32_t oldest;    /* list of evictable entries */
	uint32_t newest;
};

_Static_assert(sizeof(struct entry) <= 160, "an entry fits its share");

/* A process's handle of the registry. */
struct registry {
	struct heritage *heritage;
	struct region *region;
	uint32_t *buckets;
	struct entry *entries;
	/* The thread that waits only briefly, if there is one. */
	bool has_loop;
	pthread_t loop;
	bool is_stuck;
	struct buf late; /* ends of turns that wait for the lock */
};

/* Initialise a region that is all zero. */
void registry_lay_out(struct registry *r, uint64_t next_number);

/*
 * After a process died while holding the lock: rebuild all links from the
 * entries.
 */
void registry_rebuild(struct registry *r);

/* Returns the entry of a key, or REGISTRY_NONE. */
uint32_t registry_find_key(struct registry *r, const uint8_t *key);

/* Add an entry. Returns REGISTRY_NONE if none can be evicted. */
uint32_t registry_insert(
    struct registry *r, const uint8_t *key, const struct registry_seed *seed);

/* Remove an entry and free it. */
void registry_remove(struct registry *r, uint32_t at);

/* Remove an entry from the hash table; it is about to be marked deleted. */
void registry_unhash(struct registry *r, uint32_t at);

/*
 * Update the eviction list after an entry's state or listeners changed. Frees a
 * deleted entry to which nobody listens.
 */
void registry_settle(struct registry *r, uint32_t at);

/* Record whether a process listens to an entry; the lock is not needed. */
void registry_set_listener(struct entry *e, unsigned slot, bool on);

/* Drop the listeners of dead processes, which must not prevent eviction. */
void registry_drop_dead(struct registry *r);

#endif
