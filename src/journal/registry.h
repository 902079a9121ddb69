/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef JOURNAL_REGISTRY_H
#define JOURNAL_REGISTRY_H

/*
 * The registry of active sessions, in shared memory: which sessions are known
 * to the server now, who runs their turn, how far their journal has grown and
 * who listens. It is a cache of the store: an entry that nobody runs or listens
 * to may be evicted, oldest first, and is rebuilt when the session is opened
 * again.
 *
 * One robust lock guards the structure; the counters that the path of an event
 * touches are atomics. A process that dies inside the lock leaves it to the
 * next one, which rebuilds all links from the entries. Every process may call
 * everything, from any thread; no call waits longer than a rebuild, unless a
 * process was stopped with the lock in its hands. It is killed then
 * (master/watch.h), and an event loop does not wait for that: see
 * registry_bound().
 */
#include "core/event.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct heritage;
struct registry;

#define REGISTRY_KEY 16
#define REGISTRY_NONE UINT32_MAX

enum entry_state { ENTRY_FREE, ENTRY_IDLE, ENTRY_RUNNING };

/* A process: slot and the generation it had. 0 is nobody. */
typedef uint64_t registry_owner;

/* The slot of an owner that is not 0. */
static inline unsigned owner_slot(registry_owner owner)
{
	return (unsigned)(owner & 0xff) - 1;
}

/* The generation of the process in it. */
static inline uint32_t owner_generation(registry_owner owner)
{
	return (uint32_t)(owner >> 8);
}

struct entry {
	uint8_t key[REGISTRY_KEY];    /* digest of the session id */
	uint8_t caller[REGISTRY_KEY]; /* of its owner, for good; 0: nobody */
	uint64_t number;	      /* key of its rows in the store */
	_Atomic uint64_t owner;	      /* who runs the turn */
	_Atomic uint64_t head;	      /* newest seq */
	_Atomic uint64_t began;	      /* seq of the event that began the turn */
	_Atomic uint64_t question;    /* packed; see entry_question() */
	_Atomic uint64_t stimuli; /* stimuli appended so far, for the owner */
	_Atomic uint64_t claim; /* hash of the running turn's input_id, or 0 */
	_Atomic int64_t active_ms;     /* last sign of life, clock_mono_ms */
	_Atomic uint64_t listeners[2]; /* a bit for each process slot */
	_Atomic uint32_t turn;
	_Atomic uint32_t begun; /* newest turn that is in the journal */
	_Atomic uint32_t ended; /* newest turn whose end is; told before head */
	_Atomic uint32_t closing; /* turn whose agent has ended, or 0 */
	_Atomic uint32_t state;	  /* enum entry_state */
	uint32_t chain;		  /* next in the hash bucket */
	uint32_t older; /* neighbours among those that may be evicted */
	uint32_t newer;
	uint32_t is_evictable;
};

/* A question of the agent that waits for its answer. */
struct entry_question {
	uint64_t seq;	      /* its position; 0: none waits */
	enum event_type type; /* void when none does */
};

/* The question that waits now. */
static inline struct entry_question entry_question(const struct entry *e)
{
	uint64_t packed = atomic_load(&e->question);
	return (struct entry_question){
	    .seq = packed >> 8,
	    .type = (enum event_type)(packed & 0xff),
	};
}

/* Let this question wait instead. */
static inline void entry_set_question(
    struct entry *e, uint64_t seq, enum event_type type)
{
	atomic_store(&e->question, seq << 8 | (uint64_t)type);
}

/* Let none wait. */
static inline void entry_clear_question(struct entry *e)
{
	atomic_store(&e->question, 0);
}

/*
 * The question at seq has its answer and waits no more; whether it was the one
 * that waited. One that is asked meanwhile stays.
 */
static inline bool entry_settle_question(struct entry *e, uint64_t seq)
{
	uint64_t packed = atomic_load(&e->question);
	if (!seq || packed >> 8 != seq)
		return false;
	atomic_compare_exchange_strong(&e->question, &packed, 0);
	return true;
}

/* What the store knows of a session that is put into the registry. */
struct registry_seed {
	uint64_t number; /* 0: a new one is given */
	uint64_t head;
	uint64_t began; /* where the turn begins, or will */
	uint32_t turn;
	uint32_t ended;
	bool is_running; /* a turn that nobody owns any more */
	uint8_t caller[REGISTRY_KEY];
};

/*
 * Map the registry that lies in the heritage. The first keeper makes it
 * (may_create); next_number is the lowest number that is free in the store.
 */
struct registry *registry_new(
    struct heritage *h, bool may_create, uint64_t next_number);

/* Whether the registry in this heritage has been made. */
bool registry_exists(struct heritage *h);

/* Free the handle (not the registry) and null *r. */
void registry_free(struct registry **r);

/*
 * The calling thread is an event loop: from now on it waits for the lock for a
 * fifth of a second, and then for no time at all until it gets it once. What it
 * asks for meanwhile is not done: nothing is found or begun, and ends are made
 * up for later (registry_catch_up(), now and then).
 */
void registry_bound(struct registry *r);

/* On the loop: whether the last call failed for want of the lock. */
bool registry_is_stuck(const struct registry *r);

/*
 * On the loop, now and then: find out whether the lock can be had, and do what
 * could not be done.
 */
void registry_catch_up(struct registry *r);

/* The owner value of a slot and generation. */
registry_owner registry_self(unsigned slot, uint32_t generation);

/* Whether that process still lives. */
bool registry_is_alive(const struct registry *r, registry_owner owner);

/*
 * Forget that this slot listened anywhere (an earlier process of the slot did).
 */
void registry_clean_slot(struct registry *r, unsigned slot);

/* Find an entry and listen to it; REGISTRY_NONE when it is not there. */
uint32_t registry_find(struct registry *r, const uint8_t *key, unsigned slot);

/*
 * Add an entry and listen to it (slot UINT32_MAX: do not), or find the one
 * another process added first. REGISTRY_NONE when every entry is running or
 * attached.
 */
uint32_t registry_add(struct registry *r, const uint8_t *key, unsigned slot,
    const struct registry_seed *seed);

/* Find an entry without listening to it; it may be gone at any time. */
uint32_t registry_look(struct registry *r, const uint8_t *key);

/*
 * Whether the session belongs to this caller (the digest of an address; zeroes:
 * nobody), or to nobody. The entry may be gone meanwhile.
 */
bool registry_may_see(
    struct registry *r, uint32_t at, const uint8_t caller[REGISTRY_KEY]);

/* Stop listening. */
void registry_leave(struct registry *r, uint32_t at, unsigned slot);

/*
 * Whether a turn runs as clients see it. One whose input is still being
 * committed may come to nothing; of one whose end they may have read they must
 * not be told that it runs, though its owner has yet to give it up.
 */
static inline bool registry_runs(const struct entry *e)
{
	uint32_t turn = atomic_load(&e->turn);
	return atomic_load(&e->state) == ENTRY_RUNNING &&
	       atomic_load(&e->begun) == turn && atomic_load(&e->ended) < turn;
}

/* The entry at an index that the caller listens to or runs. */
struct entry *registry_entry(struct registry *r, uint32_t at);

/*
 * Begin a turn: idle -> running, owned by self. Returns the turn's number, or 0
 * when one runs already.
 */
uint32_t registry_begin(
    struct registry *r, uint32_t at, registry_owner self, uint64_t claim);

/*
 * End the turn that self owns; was_claimed false takes the turn's number back.
 */
void registry_end(
    struct registry *r, uint32_t at, registry_owner self, bool was_claimed);

/*
 * Take over a running turn whose owner has
 * died. Returns whether self owns it now.
 */
bool registry_take(struct registry *r, uint32_t at, registry_owner self);

/*
 * The store has a turn of this session as running: unless the registry knows
 * that it runs, or of a newer one, let it run there without an owner, for the
 * workers to take over. Returns false when there is no room.
 */
bool registry_orphan(
    struct registry *r, const uint8_t *key, const struct registry_seed *seed);

/*
 * Whether an entry says that this turn, or a newer one, runs: not so of one that
 * is there without running. It may be gone meanwhile.
 */
bool registry_knows(struct registry *r, const uint8_t *key, uint32_t turn);

/*
 * Give up a turn that was taken, to whoever comes next. Never waits.
 */
void registry_disown(struct registry *r, uint32_t at, registry_owner self);

/*
 * Note what the journal of a taken turn holds, where its dead owner died before
 * it could: the position that began the turn (0: none), the newest turn that
 * ended and the newest position.
 */
void registry_found(struct registry *r, uint32_t at, uint64_t began,
    uint32_t ended, uint64_t head);

/*
 * Note that a turn has ended and its journal does not take the end: there is one
 * position more, which nobody can read.
 */
void registry_lost_end(
    struct registry *r, uint32_t at, uint64_t number, uint32_t turn);

/* Note that the journal has grown to seq. */
void registry_grew(
    struct registry *r, uint32_t at, uint64_t number, uint64_t seq);

/*
 * Look at up to 'most' entries from *cursor on and call fn for running ones
 * whose owner is dead; moves *cursor, which is 0 again after the last. fn may
 * take the entry.
 */
void registry_orphans(struct registry *r, uint32_t *cursor, uint32_t most,
    void (*fn)(uint32_t at, struct entry *e, void *arg), void *arg);

/*
 * Remove entries idle for longer than idle_ms that nobody listens to, and drop
 * listeners of dead processes. Returns how many were removed.
 */
unsigned registry_sweep(struct registry *r, int64_t idle_ms);

/* Whether one more session finds room; by a look without the lock. */
bool registry_has_room(const struct registry *r);

/* How many entries there are. */
unsigned registry_count(const struct registry *r);

#endif
