/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef JOURNAL_JOURNAL_H
#define JOURNAL_JOURNAL_H

/*
 * The journal of a session is the ordered list of its events; any worker
 * appends to and reads any journal. A commit (commit.c) is written by a
 * committer thread (lanes.c): facts first, synced, then events (journal.c),
 * then the notification (bell.h). There are two committers, called lanes, so
 * that the loop never waits for a lock or a disk, and events never wait for the
 * sync of other turns' facts:
 *
 *   facts lane   commits with facts: one synced transaction for the whole
 *                queue, then one journal transaction for their events
 *   events lane  commits with events only (LANE_CHATTER)
 *
 * Events of one turn stay in order: a commit in the facts lane waits for what
 * was queued in the events lane before it. Positions are assigned inside the
 * transaction, so they have no gaps. The committer itself sends the
 * notification (MSG_GREW).
 *
 * Life cycle of a commit: journal_commit(), journal_add() and journal_put(),
 * journal_push(), then done(commit) from journal_collect(), which frees it with
 * journal_commit_free(). These calls are made on the loop's thread;
 * journal_meta(), journal_seed() and journal_read() may be made on any.
 */
#include "base/buf.h"
#include "base/list.h"
#include "core/err.h"
#include "core/event.h"
#include "core/views.h"
#include "journal/registry.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conf;
struct journal;
struct pulse;

/* The condition under which the events of a commit may be appended. */
enum commit_rule {
	COMMIT_BEGIN,	/* the turn has not begun; the first event begins it */
	COMMIT_IN_TURN, /* the turn has begun and not ended */
	COMMIT_END,	/* the turn has not ended; the last event ends it */
};

/* The result of a commit. */
enum commit_outcome {
	COMMIT_OK,
	COMMIT_CLOSED,	/* the rule was violated: nothing was appended */
	COMMIT_FAILED,	/* err says why: nothing was written */
	COMMIT_REFUSED, /* check() refused it: nothing was written */
};

/*
 * The maximum number of rows in one commit. The largest begins a turn: id,
 * record, title and conversation of the session, and two claims of the input.
 */
#define COMMIT_PUTS 6

/*
 * Writes a row in the open transaction of a commit. Runs in a committer thread.
 */
typedef void commit_write_fn(
    struct store_txn *t, struct store_span key, struct store_span value);

/* A row of a commit. */
struct commit_put {
	enum store_table table;
	struct buf key;
	struct buf value;
	commit_write_fn *write; /* NULL: put the row into its table */
};

/*
 * One unit of work for a committer. It is created and freed on the loop's
 * thread; between journal_push() and done() the committer owns it.
 */
struct commit {
	struct list link;
	uint64_t number; /* the session's number */
	uint32_t at;	 /* its registry index */
	uint32_t turn;
	enum commit_rule rule;

	/*
	 * Rows, either all facts or all in the journal's own tables: check (may
	 * be NULL) examines the store inside their transaction and returns 0 to
	 * proceed; then the puts are written.
	 */
	bool has_facts;
	int (*check)(struct store_txn *t, struct commit *c);
	struct commit_put puts[COMMIT_PUTS];
	unsigned n_puts;

	/*
	 * With facts, after the puts and in the same transaction: write rows
	 * that depend on the state of the store. note holds its input. NULL:
	 * nothing to do.
	 */
	void (*also)(struct store_txn *t, struct commit *c);
	struct buf note;

	/* Events in stored form, each preceded by its length (uint32_t). */
	struct buf events;
	unsigned n_events;
	unsigned n_emitted; /* how many of them an agent has emitted */
	unsigned n_stimuli; /* how many of them the turn's owner must process */

	/*
	 * If one of the events is a question: its place among them from 1, and
	 * its type.
	 */
	unsigned question_at;
	enum event_type question;

	/*
	 * The owner that gives up the turn in the registry when this is
	 * written.
	 */
	registry_owner ends_turn_of;

	/* After the facts, delete the session's journal with all events. */
	bool removes_journal;

	bool is_quiet; /* do not log a failure: it has been logged */

	enum commit_outcome outcome;
	bool lacks_room; /* it failed because the disk is full */
	bool met_damage; /* it failed because pages of the file are damaged */
	bool are_facts_written; /* even if writing the events failed */
	bool is_in_facts_lane;
	int refusal; /* the result of check() */
	struct err err;
	uint64_t first_seq;
	uint64_t last_seq;
	void (*done)(struct commit *c);
	void *arg;
	uint64_t ticket;
};

/* What a journal needs. All of it is borrowed and must outlive it. */
struct journal_setup {
	struct store *store;
	struct registry *registry;
	const struct conf *conf;
	struct pulse *pulses; /* of the lanes, by enum pulse_line; or NULL */
	unsigned slot;
	uint32_t generation;
	/*
	 * Called by a committer thread: journal_collect() has something to do.
	 */
	void (*on_done)(void *arg);
	void *arg;
};

/* Start the committer threads. */
struct journal *journal_new(const struct journal_setup *setup);

/* Wait until the queues are empty, stop the threads, free, and null *j. */
void journal_free(struct journal **j);

/* Create an empty commit. */
struct commit *journal_commit(
    uint64_t number, uint32_t at, uint32_t turn, enum commit_rule rule);

/*
 * Create an empty commit for the facts lane. When it is done, everything
 * written by a process that died before is visible to readers.
 */
struct commit *journal_fence(void);

/* Add an event to a commit; a draft without an id gets one. */
void journal_add(struct commit *c, struct draft *d);

/*
 * Add a row to a commit. The caller fills in its value, and may set write.
 * Returns the row, which the commit owns.
 */
struct commit_put *journal_put(
    struct commit *c, enum store_table table, const void *key, size_t key_len);

/*
 * Queue the commit in its lane. in_facts_lane forces the facts lane for a
 * commit without facts, to keep it behind one that has some.
 */
void journal_push(struct journal *j, struct commit *c, bool in_facts_lane);

/*
 * Notify the other processes that listen to a session of something besides a
 * commit.
 */
void journal_ring(struct journal *j, uint64_t number, uint32_t at);

/* Free a commit that was not pushed, or is done. */
void journal_commit_free(struct commit *c);

/* On the loop: call done() for all finished commits. */
void journal_collect(struct journal *j);

/* Returns the number of commits pushed and not yet collected. */
size_t journal_pending(const struct journal *j);

/* The extent of a session's events (TABLE_JOURNALS). */
struct journal_meta {
	uint64_t first; /* seq of the oldest kept event */
	uint64_t last;	/* newest seq; 0: none */
	uint64_t bytes;
	uint64_t began;	  /* seq that began the latest turn */
	uint32_t turn;	  /* latest turn that began */
	uint32_t ended;	  /* latest turn that ended */
	uint64_t n_views; /* of all events, also of those no longer kept */
	struct views_memory memory;
};

/* The size of what an earlier version stored (journal_convert.h). */
#define JOURNAL_META_OLD offsetof(struct journal_meta, n_views)

/*
 * Read a session's meta in an open transaction. Returns false, and zeroes, if
 * it has none. A damaged one is rebuilt from the events.
 */
bool journal_meta(
    struct store_txn *t, uint64_t number, struct journal_meta *meta);

/* Add what a session's journal says to a seed made from its facts. */
void journal_seed(struct registry_seed *seed, const struct journal_meta *meta);

/*
 * Why journal_read() returned: no more events, fn returned false, or see below.
 */
enum journal_read { JOURNAL_END, JOURNAL_STOPPED, JOURNAL_GONE };

/*
 * Call fn for the events after *cursor up to 'upto', and move *cursor, until fn
 * returns false. Clients may only see events up to the head in the registry:
 * later ones are not published yet, nor is the end of their turn. JOURNAL_GONE:
 * the next event is not kept, or damaged; *cursor is now just before the oldest
 * sound event after it, or at the end. Events up to 'upto' are taken as
 * promised, and count as gone if they are missing (UINT64_MAX promises none).
 */
enum journal_read journal_read(struct store *s, uint64_t number,
    uint64_t *cursor, uint64_t upto,
    bool (*fn)(const struct event *ev, void *arg), void *arg);

/*
 * Returns the position of the event that has the view with this number, or, if
 * that is not kept, of the next one that has views; upto + 1 if there is none
 * up to this position.
 */
uint64_t journal_find_view(
    struct store *s, uint64_t number, uint64_t view, uint64_t upto);

/* Some of the events of a session. */
struct journal_range {
	uint64_t from; /* position of the first one; 0: the end it begins at */
	uint64_t upto; /* later ones are not published */
	bool is_backwards;
	size_t most; /* how many events to read */
};

/*
 * Call fn for the events of a range until it returns false. Events that are not
 * kept, or damaged, are left out. Returns the position from which to go on, or
 * 0 at the end.
 */
uint64_t journal_read_range(struct store *s, uint64_t number,
    const struct journal_range *range,
    bool (*fn)(const struct event *ev, void *arg), void *arg);

#endif
