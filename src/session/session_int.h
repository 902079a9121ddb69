/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef SESSION_SESSION_INT_H
#define SESSION_SESSION_INT_H

/* Shared by the files of session/ and turn/, and private to them. */
#include "journal/journal.h"
#include "journal/registry.h"
#include "session/session.h"
#include "session/sessions.h"

#include <string.h>

struct activity;
struct map;
struct turn;
struct uploads;

/* The state of the search for turns of dead owners (turn/takeover.h). */
struct takeover {
	bool is_looking; /* from cursor on */
	bool is_fencing; /* a fence is pending */
	uint32_t cursor;
	uint64_t fenced_deaths; /* deaths covered by the last fence */
	int64_t died_us;	/* time of the death that started the search */
};

/* All sessions of a worker. */
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
	struct list dirty;	/* turns with events not yet pushed */
	struct list decided;	/* turns with an approval decided by rule */
	struct list rung;	/* sessions with a grown journal */
	struct list answers;	/* calls with a receipt to deliver */
	struct list retries;	/* calls to be placed again (call_later()) */
	struct list saves;	/* calls whose files are being saved */
	struct list ended;	/* sessions whose turn has ended, referenced */
	struct list execs;	/* running tool calls */
	struct list execs_done; /* ended ones, to be reported */
	struct list removals;	/* deletions that wait (session/removal.h) */
	size_t n_turns;
	size_t n_execs;
	bool is_draining;
	bool is_leaving; /* turns take no more steps */
	struct takeover takeover;
	uint64_t waiting; /* where to continue looking for waiting inputs */
	unsigned ticks;
};

/* A worker's handle of a session. */
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
	struct turn *turn; /* NULL: not in this worker */
	/*
	 * If no turn could begin with a waiting input: when to retry (0: none
	 * failed), and whether the store is the cause.
	 */
	int64_t put_off_until_ms;
	bool is_store_failing;
};

/* Returns the registry's entry of a session. */
static inline struct entry *session_entry(const struct session *s)
{
	return registry_entry(s->all->registry, s->at);
}

/* Whether it was deleted: whoever opens its id now gets another session. */
static inline bool session_is_deleted(const struct session *s)
{
	return atomic_load(&session_entry(s)->is_deleted);
}

/* Whether it has no owner: its id is all that a caller needs to open it. */
static inline bool session_is_nobodys(const struct session *s)
{
	static const uint8_t nobody[REGISTRY_KEY];
	return memcmp(session_entry(s)->caller, nobody, REGISTRY_KEY) == 0;
}

/* Compute the digest of an id, the registry's key. */
void session_key(uint8_t key[REGISTRY_KEY], const char *id, size_t len);

/* Compute the digest of a caller's address; zeroes if anonymous (len 0). */
void session_caller_key(
    uint8_t key[REGISTRY_KEY], const char *caller, size_t len);

/*
 * Whether this caller may open the session of an id: its own, or one without an
 * owner.
 */
bool session_is_open_to(
    struct sessions *all, const char *id, size_t len, const char *caller);

/* Add a reference to a handle. */
struct session *session_ref(struct session *s);

/* Returns the handle of a registry entry whose id is known; NULL with *err. */
struct session *session_of_entry(
    struct sessions *all, const char *id, size_t len, struct err *err);

/* Whether this worker runs max_runs turns and tool calls. */
bool session_is_crowded(const struct sessions *all);

/*
 * Its turn has ended: let the oldest waiting input begin one, at the end of the
 * current call from the worker (input_retry()).
 */
void session_begin_next(struct session *s);

/*
 * Its journal has grown, by any process: at the end of this tick, its turn
 * looks for stimuli if this worker owns it, and its attachments for events.
 */
void session_grew(struct session *s);

#endif
