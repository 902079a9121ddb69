/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef JOURNAL_REGISTRY_H
#define JOURNAL_REGISTRY_H

/*
 * The registry of active sessions, in shared memory: which sessions the server
 * knows at the moment, who runs their turn, how far their journal has grown and
 * who listens. It is a cache of the store: an entry that no process runs or
 * listens to may be evicted, oldest first, and is rebuilt when the session is
 * opened again.
 *
 * One robust lock guards the structure; the counters on the path of an event
 * are atomics. If a process dies while holding the lock, the next process gets
 * the lock and rebuilds all links from the entries. All calls may be made from
 * any process and any thread; none waits longer than a rebuild takes, unless a
 * process is stopped while holding the lock. Such a process is killed
 * (master/watch.h), and an event loop does not wait for that: see
 * registry_bound().
 */
#include "core/event.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct heritage;
struct registry;

/* The size of a key in bytes, and the index that means "no entry". */
#define REGISTRY_KEY 16
#define REGISTRY_NONE UINT32_MAX

/* The state of an entry. */
enum entry_state { ENTRY_FREE, ENTRY_IDLE, ENTRY_RUNNING };

/* A process: its slot and generation. 0: no process. */
typedef uint64_t registry_owner;

/* The slot of an owner other than 0. */
static inline unsigned owner_slot(registry_owner owner)
{
	return (unsigned)(owner & 0xff) - 1;
}

/* The generation of the process in the slot. */
static inline uint32_t owner_generation(registry_owner owner)
{
	return (uint32_t)(owner >> 8);
}

/* One session, in shared memory. */
struct entry {
	uint8_t key[REGISTRY_KEY];    /* digest of the session id */
	uint8_t caller[REGISTRY_KEY]; /* its permanent owner; 0: none */
	uint64_t number;	      /* key of its rows in the store */
	_Atomic uint64_t owner;	      /* the process that runs the turn */
	_Atomic uint64_t head;	      /* newest seq */
	_Atomic uint64_t began;	      /* seq of the event that began the turn */
	_Atomic uint64_t question;    /* packed; see entry_question() */
	_Atomic uint64_t stimuli; /* count of appended stimuli, for the owner */
	_Atomic uint64_t claim; /* hash of the running turn's input_id, or 0 */
	/* The agent that only one worker has (core/agent.h); 0: all have it. */
	_Atomic uint64_t home;
	_Atomic int64_t active_ms;     /* last sign of life, clock_mono_ms */
	_Atomic uint64_t listeners[2]; /* a bit per process slot */
	_Atomic uint32_t turn;
	_Atomic uint32_t begun; /* newest turn whose begin is in the journal */
	_Atomic uint32_t ended; /* newest turn whose end is; set before head */
	_Atomic uint32_t closing; /* turn whose agent has ended, or 0 */
	_Atomic uint32_t left;	  /* stimuli seen by the last owner that left */
	_Atomic uint32_t state;	  /* enum entry_state */
	uint32_t chain;		  /* next in the hash bucket */
	uint32_t older;		  /* neighbours in the eviction list */
	uint32_t newer;
	uint16_t is_evictable;
	_Atomic uint16_t is_deleted; /* see registry_delete() */
};

/* A question of the agent that waits for an answer. */
struct entry_question {
	uint64_t seq;	      /* its position; 0: none waits */
	enum event_type type; /* void if none waits */
};

/* Returns the question that waits now. */
static inline struct entry_question entry_question(const struct entry *e)
{
	uint64_t packed = atomic_load(&e->question);
	return (struct entry_question){
	    .seq = packed >> 8,
	    .type = (enum event_type)(packed & 0xff),
	};
}

/* Replace the waiting question. */
static inline void entry_set_question(
    struct entry *e, uint64_t seq, enum event_type type)
{
	atomic_store(&e->question, seq << 8 | (uint64_t)type);
}

/* Set that no question waits. */
static inline void entry_clear_question(struct entry *e)
{
	atomic_store(&e->question, 0);
}

/*
 * The question at seq was answered. Returns whether it was the one that waited;
 * a newer question keeps waiting.
 */
static inline bool entry_settle_question(struct entry *e, uint64_t seq)
{
	uint64_t packed = atomic_load(&e->question);
	if (!seq || packed >> 8 != seq)
		return false;
	atomic_compare_exchange_strong(&e->question, &packed, 0);
	return true;
}

/* What the store knows about a session that is put into the registry. */
struct registry_seed {
	uint64_t number; /* 0: assign a new one */
	uint64_t head;
	uint64_t began; /* where the turn begins, or will begin */
	uint32_t turn;
	uint32_t ended;
	bool is_running; /* a turn without an owner */
	uint8_t caller[REGISTRY_KEY];
};

/*
 * Map the registry in the heritage. The first keeper creates it (may_create);
 * next_number is the lowest number that is free in the store.
 */
struct registry *registry_new(
    struct heritage *h, bool may_create, uint64_t next_number);

/* Whether the registry in this heritage has been created. */
bool registry_exists(struct heritage *h);

/* Free the handle (not the registry) and null *r. */
void registry_free(struct registry **r);

/*
 * Declare the calling thread to be an event loop: from now on it waits for the
 * lock for a fifth of a second at most, and after such a timeout not at all
 * until it has got it once. Calls without the lock do nothing: they find and
 * begin nothing, and ends are made up for later (by registry_catch_up(), to be
 * called periodically).
 */
void registry_bound(struct registry *r);

/*
 * On the loop: whether the last call failed because the lock was not available.
 */
bool registry_is_stuck(const struct registry *r);

/*
 * On the loop, periodically: test whether the lock is available, and do what
 * could not be done before.
 */
void registry_catch_up(struct registry *r);

/* Returns the owner value of a slot and generation. */
registry_owner registry_self(unsigned slot, uint32_t generation);

/* Whether that process is alive. */
bool registry_is_alive(const struct registry *r, registry_owner owner);

/* Remove this slot, whose earlier process has died, from all listeners. */
void registry_clean_slot(struct registry *r, unsigned slot);

/*
 * Find an entry and listen to it. Returns REGISTRY_NONE if it does not exist.
 */
uint32_t registry_find(struct registry *r, const uint8_t *key, unsigned slot);

/*
 * Add an entry and listen to it (slot UINT32_MAX: do not listen), or find the
 * one that another process has added first. Returns REGISTRY_NONE if every
 * entry is running or attached.
 */
uint32_t registry_add(struct registry *r, const uint8_t *key, unsigned slot,
    const struct registry_seed *seed);

/* Find an entry without listening to it; it may be evicted at any time. */
uint32_t registry_look(struct registry *r, const uint8_t *key);

/*
 * Whether the session belongs to this caller (digest of an address; zeroes:
 * anonymous) or has no owner. The entry may have been evicted meanwhile.
 */
bool registry_may_see(
    struct registry *r, uint32_t at, const uint8_t caller[REGISTRY_KEY]);

/* Stop listening. */
void registry_leave(struct registry *r, uint32_t at, unsigned slot);

/*
 * Whether a turn runs as far as clients may know. A turn whose input is still
 * being committed may come to nothing. A turn whose end they may have read must
 * not be reported as running, even if its owner has not given it up yet.
 */
static inline bool registry_runs(const struct entry *e)
{
	uint32_t turn = atomic_load(&e->turn);
	return atomic_load(&e->state) == ENTRY_RUNNING &&
	       atomic_load(&e->begun) == turn && atomic_load(&e->ended) < turn;
}

/* Returns the entry at an index that the caller listens to or runs. */
struct entry *registry_entry(struct registry *r, uint32_t at);

/*
 * Begin a turn: idle -> running, owned by self. Returns the turn's number, or 0
 * if one is running already.
 */
uint32_t registry_begin(
    struct registry *r, uint32_t at, registry_owner self, uint64_t claim);

/*
 * End the turn that self owns. If was_claimed is false, the turn's number is
 * taken back.
 */
void registry_end(
    struct registry *r, uint32_t at, registry_owner self, bool was_claimed);

/*
 * Take the session that self holds by registry_begin() out of the registry:
 * from now on its key leads to no entry, or to a new one. Those that listen to
 * the entry keep it until they leave, find it deleted, with a head that cannot
 * be read, and begin no turn in it. Returns false if the lock is not available
 * now.
 */
bool registry_delete(struct registry *r, uint32_t at, registry_owner self);

/*
 * Take over a running turn whose owner has died. Returns whether self owns it
 * now.
 */
bool registry_take(struct registry *r, uint32_t at, registry_owner self);

/*
 * Enter a turn that is running according to the store: unless the registry
 * knows it, or a newer one, as running, it is entered without an owner, for the
 * workers to take over. Returns false if there is no room.
 */
bool registry_orphan(
    struct registry *r, const uint8_t *key, const struct registry_seed *seed);

/*
 * Whether this turn, or a newer one, is running according to its entry; an
 * entry that is idle does not count. It may be evicted meanwhile.
 */
bool registry_knows(struct registry *r, const uint8_t *key, uint32_t turn);

/*
 * Give up a turn that was taken over, so that another process can take it.
 * Never waits.
 */
void registry_disown(struct registry *r, uint32_t at, registry_owner self);

/*
 * Record what the journal of a taken turn contains, since its dead owner may
 * not have done so: the position that began the turn (0: none), the newest turn
 * that ended, and the newest position.
 */
void registry_found(struct registry *r, uint32_t at, uint64_t began,
    uint32_t ended, uint64_t head);

/*
 * Record that a turn has ended whose end cannot be written to the journal:
 * there is one more position, which cannot be read.
 */
void registry_lost_end(
    struct registry *r, uint32_t at, uint64_t number, uint32_t turn);

/* Record that the journal has grown to seq. */
void registry_grew(
    struct registry *r, uint32_t at, uint64_t number, uint64_t seq);

/*
 * Examine up to 'most' entries from *cursor on, and call fn for running ones
 * whose owner is dead. Moves *cursor, which is 0 after the last entry. fn may
 * take the entry over.
 */
void registry_orphans(struct registry *r, uint32_t *cursor, uint32_t most,
    void (*fn)(uint32_t at, struct entry *e, void *arg), void *arg);

/*
 * Remove entries without listeners that are idle for longer than idle_ms, and
 * drop listeners of dead processes. Returns how many entries were removed.
 */
unsigned registry_sweep(struct registry *r, int64_t idle_ms);

/* What an entry says, for people; a copy. */
struct registry_view {
	uint64_t number;
	registry_owner owner; /* of the running turn */
	uint64_t head;
	enum event_type question; /* void if is_waiting is false */
	int64_t active_ms;
	uint32_t turn;
	unsigned n_listeners; /* processes with clients of the session */
	bool is_running;
	bool is_waiting; /* for the answer to a question */
};

/*
 * Call fn with a copy of each entry that is in use. Takes no lock, so that it
 * cannot wait for a process that is stopped; an entry that changes meanwhile
 * may be left out, or be a mixture of both. For any thread.
 */
void registry_each(const struct registry *r,
    void (*fn)(const struct registry_view *view, void *arg), void *arg);

/* Whether there is room for one more session; checked without the lock. */
bool registry_has_room(const struct registry *r);

/* Returns the number of entries. */
unsigned registry_count(const struct registry *r);

#endif
