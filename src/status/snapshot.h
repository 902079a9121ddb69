/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef STATUS_SNAPSHOT_H
#define STATUS_SNAPSHOT_H

/*
 * A snapshot is what shared memory and the store say about a running server at
 * one moment: its processes, counters, sessions and turns. Nobody is asked and
 * no lock is taken, so it can be had while all processes are stopped or hang,
 * and when one died in the middle of a change: values are copied and checked,
 * and what cannot be true is reported in 'damage' instead of being believed.
 * doc/status.txt describes its form as JSON.
 *
 * Life cycle: a zeroed struct, snapshot_take(), snapshot_add_rows(), then the
 * struct is read or printed, snapshot_fini().
 */
#include "base/buf.h"
#include "core/heritage.h"
#include "core/stat.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct registry;
struct store;

/* The most sessions in a snapshot: those with turns first, then the latest. */
#define SNAPSHOT_SESSIONS 200

/* A loop that has not moved for so long is late; it beats 4 times a second. */
#define SNAPSHOT_LATE_MS 2000

enum snapshot_health {
	HEALTH_OK,
	HEALTH_LATE,	/* its loop has not moved for SNAPSHOT_LATE_MS */
	HEALTH_STOPPED, /* by a signal or a debugger */
	HEALTH_GONE,	/* there is no such process any more */
};

/* One process in a slot. */
struct snapshot_process {
	unsigned slot;
	unsigned kind; /* enum heritage_kind */
	int32_t pid;
	uint32_t generation;
	uint32_t epoch;
	enum heritage_state state;
	enum snapshot_health health;
	int64_t started_ms;
	int64_t age_ms;
	int64_t memory_bytes; /* resident; 0: unknown */
	int64_t beat_age_ms;  /* of its loop; -1: it has not begun */
	uint32_t pulse_state[PULSE_LINES];
	int64_t pulse_age_ms[PULSE_LINES];
	struct stat_set stats;
};

/* One session that the server knows at the moment. */
struct snapshot_session {
	uint64_t number;
	uint64_t head; /* position of its newest event */
	uint32_t turn;
	int owner_slot; /* of the process that runs its turn; -1: none */
	bool is_running;
	int question; /* the type of the question that waits; -1: none */
	unsigned n_listeners;
	int64_t idle_ms; /* since its last sign of life */
	/* From the store; id NULL: nothing is stored yet. */
	char *id;
	char *caller; /* "": nobody's */
	char *agent;  /* "": the default */
	const char *status;
	int64_t created_ms;
	int64_t updated_ms;
	int last_event; /* its type; -1: unknown */
	int64_t last_event_ms;
};

struct snapshot {
	int64_t taken_ms; /* wall clock */
	int32_t master_pid;
	enum snapshot_health master_health;
	int64_t started_ms;
	uint32_t epoch;
	uint32_t wanted; /* how many processes should accept clients */
	uint32_t restarts;
	uint32_t hung;
	int64_t master_silent_ms; /* since the master looked at the others */
	bool refuses_writes;	  /* the store does */
	struct snapshot_process *processes;
	size_t n_processes;
	struct stat_set *stats; /* of all slots, HERITAGE_SLOTS */
	bool has_sessions;	/* the registry could be read */
	size_t n_known;		/* sessions in the registry */
	size_t n_running;
	struct snapshot_session *sessions;
	size_t n_sessions;
	struct buf damage; /* one line for each thing that cannot be true */
};

/* Where a snapshot is taken from. */
struct snapshot_source {
	/* Its part up to 'quotas' is enough. */
	const struct heritage *heritage;
	const struct registry *registry; /* NULL: there is no access */
	struct store *store;
};

/*
 * Take a snapshot; *s is zeroed. Reads shared memory and some small files of
 * /proc. May be called on any thread; with many sessions it takes milliseconds.
 */
void snapshot_take(struct snapshot *s, const struct snapshot_source *from);

/*
 * Add what the store says about the sessions. On the loop's thread of a worker,
 * or in a command. Takes microseconds for each session.
 */
void snapshot_add_rows(struct snapshot *s, const struct snapshot_source *from);

/*
 * Without a registry: make the stored sessions those of the snapshot. The store
 * may be in use; takes microseconds for each session that is stored.
 */
void snapshot_take_stored(struct snapshot *s, struct store *store);

/*
 * Get one stored session, which snapshot_session_fini() frees. Returns false,
 * with *session zeroed, if there is none of this id.
 */
bool snapshot_find(
    struct snapshot_session *session, struct store *store, const char *id);
void snapshot_session_fini(struct snapshot_session *session);

/* Note something that cannot be true, or cannot be found out. */
void snapshot_fault(struct snapshot *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Whether nothing is wrong; reasons (or NULL) gets a line for each fault. */
bool snapshot_is_well(const struct snapshot *s, struct buf *reasons);

/* Returns the word for a state of a slot, and for the health of a process. */
const char *snapshot_state_word(enum heritage_state state);
const char *snapshot_health_word(enum snapshot_health health);

/* Append a snapshot as a JSON object on one line. */
void snapshot_json(struct buf *out, const struct snapshot *s);

/* Append one session as a JSON object on one line. */
void snapshot_session_json(
    struct buf *out, const struct snapshot_session *session);

/* Free the contents; *s is zeroed again. */
void snapshot_fini(struct snapshot *s);

#endif
