/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef RELAY_ROSTER_H
#define RELAY_ROSTER_H

/*
 * The roster lists the announced sockets of all workers, in shared memory: for
 * an address, which worker has its agent. A place in it belongs to one socket;
 * only the worker of that socket writes it. An address may have several places,
 * since two hosts may have one key.
 *
 * There is no lock. A place is claimed by one atomic exchange, its content has
 * a version, and a place whose worker has died is as good as left: nothing has
 * to be repaired after a death, and no loop ever waits. A place that was left
 * stays readable until another socket needs it, so that the relay knows who was
 * here a moment ago, and which ANNOUNCE was used already.
 */
#include "core/heritage.h"
#include "relay/relay_stat.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROSTER_KEY 32
#define ROSTER_DIGEST 16

/* What a worker publishes about an announced socket. */
struct roster_entry {
	uint8_t key[ROSTER_KEY];       /* the public key of the agent */
	uint8_t digest[ROSTER_DIGEST]; /* of its last signature */
	double timestamp;	       /* of its last ANNOUNCE, in seconds */
	/* Later sockets have a greater number; 0: only if there is no other. */
	uint64_t serial;
	uint64_t socket; /* its number in its worker */
};

#define ROSTER_WORDS (sizeof(struct roster_entry) / sizeof(uint64_t))

struct roster_place {
	_Atomic uint64_t owner;	  /* who claimed it, or left it; 0: free */
	_Atomic uint64_t version; /* odd while the owner writes */
	_Atomic uint64_t writer;  /* the owner when it wrote */
	_Atomic int64_t left_ms;  /* by clock_mono_ms(), once it was left */
	_Atomic uint64_t words[ROSTER_WORDS];
};

/* The memory behind the heritage, for the registry of this program. */
struct relay_shared {
	struct relay_stats stats[HERITAGE_SLOTS];
	_Atomic uint64_t serial;
	_Atomic uint64_t seed; /* random, of the hash below; 0: not set yet */
	_Atomic int64_t died_ms[HERITAGE_SLOTS]; /* the last death in a slot */
	struct roster_place places[];
};

/* Returns the size of that memory for so many agents. */
uint64_t roster_bytes(uint64_t max_agents);

struct roster;

/*
 * The roster as seen by the process of a slot. heritage->max_sessions is the
 * number of agents. Never returns NULL.
 */
struct roster *roster_new(
    struct heritage *heritage, unsigned slot, uint32_t generation);

/* Free this view, and set *r to NULL. */
void roster_free(struct roster **r);

/* Returns the memory that the roster is part of. */
struct relay_shared *roster_shared(struct roster *r);

/* Returns how many sockets are announced at all living workers. */
uint64_t roster_agents(struct roster *r);

/* Returns a number for the next socket: greater than all before it. */
uint64_t roster_serial(struct roster *r);

/*
 * Take a place for a socket. Returns its number for the calls below, or -1 if
 * there are too many agents.
 */
int64_t roster_put(struct roster *r, const struct roster_entry *e);

/* Publish what has changed about our socket. */
void roster_change(
    struct roster *r, int64_t place, const struct roster_entry *e);

/* Our socket is gone. */
void roster_leave(struct roster *r, int64_t place);

/* The process in a slot has died: its sockets left just now. */
void roster_died(struct roster *r, unsigned slot);

/* What is known about an address. */
struct roster_found {
	unsigned n_live;
	/* Of the socket that new clients get, if n_live > 0. */
	struct roster_entry entry;
	unsigned slot;
	/* Of all places, left or not. */
	int64_t left_ms; /* when the last one left; 0: none has */
	double timestamp;
	bool is_used; /* one of them has this digest */
};

/* Find an address. digest may be NULL. Returns whether anything is known. */
bool roster_find(struct roster *r, const uint8_t key[ROSTER_KEY],
    const uint8_t *digest, struct roster_found *out);

#endif
