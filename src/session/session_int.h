/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef SESSION_SESSION_INT_H
#define SESSION_SESSION_INT_H

/* What the files of this folder share and nobody else sees. */
#include "journal/journal.h"
#include "journal/registry.h"
#include "session/session.h"
#include "session/sessions.h"

#include <string.h>

struct activity;
struct map;
struct turn;
struct uploads;

/* How far the look for turns of dead owners is (turn/takeover.h). */
struct takeover {
	bool is_looking; /* from cursor on */
	bool is_fencing; /* a fence is on its way */
	uint32_t cursor;
	uint64_t fenced_deaths; /* deaths that the last fence came after */
	int64_t died_us; /* when the death that began the look was seen */
};

struct sessions {
	struct sessions_setup setup;
	registry_owner self;
	struct registry *registry;
	struct journal *journal;
	struct uploads *uploads;
	struct activity *activity;
	struct map *by_key;	/* registry key -> struct session */
	struct list sessions;	/* handles of this worker */
	struct list turns;	/* turns this worker owns */
	struct list dirty;	/* turns with events not pushed yet */
	struct list decided;	/* turns with an approval decided by rule */
	struct list rung;	/* sessions that grew, for those who hear it */
	struct list answers;	/* calls with a receipt to hand out */
	struct list retries;	/* calls to be placed again (call_later()) */
	struct list ended;	/* sessions whose turn has ended, referenced */
	struct list execs;	/* calls of tools that run */
	struct list execs_done; /* and those whose end is to be told */
	size_t n_turns;
	size_t n_execs;
	bool is_draining;
	bool is_leaving; /* turns take no more steps */
	struct takeover takeover;
	uint64_t waiting; /* where to look next for inputs that wait */
	unsigned ticks;
};

struct session {
	struct list link;
	struct list rung;  /* in all->rung */
	struct list ended; /* in all->ended */
	struct sessions *all;
	char *id;
	uint8_t key[REGISTRY_KEY];
	uint64_t number;
	uint32_t at; /* index in the registry */
	unsigned refs;
	struct list attachments;
	struct turn *turn; /* NULL: not ours */
	/* No turn could begin with what waits: when to try again (0: it could),
	 * and whether the store is to blame. */
	int64_t put_off_until_ms;
	bool is_store_failing;
};

/* The registry's entry of a session. */
static inline struct entry *session_entry(const struct session *s)
{
	return registry_entry(s->all->registry, s->at);
}

/* Whether it is nobody's: its id is all that one needs to open it. */
static inline bool session_is_nobodys(const struct session *s)
{
	static const uint8_t nobody[REGISTRY_KEY];
	return memcmp(session_entry(s)->caller, nobody, REGISTRY_KEY) == 0;
}

/* Digest of an id, the registry's key. */
void session_key(uint8_t key[REGISTRY_KEY], const char *id, size_t len);

/* Digest of a caller's address, zeroes for nobody (len 0). */
void session_caller_key(
    uint8_t key[REGISTRY_KEY], const char *caller, size_t len);

/* Whether this caller may open what an id names: its own, or nobody's. */
bool session_is_open_to(
    struct sessions *all, const char *id, size_t len, const char *caller);

/* One more reference to a handle. */
struct session *session_ref(struct session *s);

/* The handle of a registry entry whose id is known; NULL with *err. */
struct session *session_of_entry(
    struct sessions *all, const char *id, size_t len, struct err *err);

/* Whether max_runs turns, and calls of tools, run in this worker. */
bool session_is_crowded(const struct sessions *all);

/*
 * Its turn is over: let the oldest input that waits begin one, at the end of the
 * call from the worker that is going on (input_retry()).
 */
void session_begin_next(struct session *s);

/*
 * Its journal has grown, by whatever process: at the end of this tick, let its
 * turn look for stimuli if it is ours, and its attachments for events.
 */
void session_grew(struct session *s);

#endif
