/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef STORE_STORE_H
#define STORE_STORE_H

/*
 * The store holds what outlives processes: two LMDB environments under
 * .co/store, opened by each worker and the keeper after exec, never by the
 * master and never across a fork.
 *
 *   facts.mdb    accepted inputs, results, conversations. Every commit is
 *                synced before it returns, so a power cut loses nothing that
 *                was acknowledged.
 *   journal.mdb  the events of sessions, in order. Commits survive the death of
 *                any process but are not synced; after a crash of the machine
 *                the file is discarded (the epoch changes) and only events are
 *                lost.
 *
 * With 'durability: process' the facts live in journal.mdb, too. An unsynced
 * commit can corrupt a whole environment in a power cut, which is why the two
 * are separate otherwise.
 *
 * If the disk fails at the moment that makes a commit valid, its outcome is
 * unknown: the process ends at once (fatal), and the next one finds out.
 *
 * A transaction carries its error: after the first failure every call on it
 * does nothing, and its end reports the error once. Reads happen on the loop's
 * thread or in the keeper, with one read transaction per part at a time; writes
 * happen on committer threads.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conf;
struct err;
struct store;

/*
 * The version of the format of the files. A new one is given for whatever an
 * older program would not read right, or would spoil; NEWS says what happens
 * then. Processes of programs with different versions never share a store.
 */
#define STORE_VERSION 2

enum store_part { STORE_FACTS, STORE_JOURNAL };

enum store_table {
	TABLE_IDS,	/* facts: session id -> number (8 bytes) */
	TABLE_SESSIONS, /* facts: number -> record */
	TABLE_TALKS,	/* facts: number -> conversation (JSON) */
	TABLE_TITLES,	/* facts: number -> when it began, and its title */
	TABLE_CLAIMS,	/* facts: digest of scope and input_id -> claim */
	TABLE_USED,	/* facts: digest of a receipt -> when it was used */
	TABLE_SPANS,	/* facts: span of time -> epoch of its signatures */
	TABLE_FEED,	/* facts: growing number -> record as it was written */
	TABLE_USAGE,	/* facts: day and digest of a caller -> its usage */
	TABLE_WAITING,	/* facts: number, place -> input to a running turn */
	TABLE_DRAFTS, /* facts: number, place -> what was said without a turn */
	TABLE_AGENTS, /* facts: id -> what is known of an agent (JSON) */
	TABLE_JOURNALS, /* journal: number -> positions of its events */
	TABLE_EVENTS,	/* journal: number, seq -> event */
	TABLE_SPENT,	/* journal: end, digest of a signature -> its use */
	TABLE_NOTES,	/* journal: notes: "epoch" -> number (8 bytes) */
	TABLE_COUNT
};

/* Returns the part in which a table lives. */
enum store_part store_part_of(enum store_table table);

struct store_txn {
	struct store *store;
	void *handle;
	int rc; /* 0, or the first LMDB error */
	enum store_part part;
	bool is_writing;
};

struct store_span {
	const void *data;
	size_t len;
};

/*
 * A big-endian key of one or two numbers, so that byte order is numeric order.
 */
struct store_key {
	unsigned char bytes[16];
};

/* Returns the key of a number (8 bytes). */
struct store_key store_key1(uint64_t a);

/* Returns the key of a pair of numbers (16 bytes). */
struct store_key store_key2(uint64_t a, uint64_t b);

/* Returns the number in 8 bytes of a key. */
uint64_t store_number(const void *bytes);

/*
 * Open both environments. The keeper (is_keeper) opens them first: it creates
 * what is missing, converts what an older program wrote, discards a journal
 * left by another boot, and moves a file that cannot be read aside (to
 * *.corrupt-TIME, with an error in the log). A journal without facts never
 * prevents that. Returns NULL with ERR_STORE on failure.
 */
struct store *store_open(
    const struct conf *conf, bool is_keeper, struct err *err);

/* Close the store and set *s to NULL. */
void store_close(struct store **s);

/*
 * Copy the facts of the store of conf, as they are after some commit, into
 * facts.mdb of the folder 'to', which has none: a store to start with. Works
 * while a server writes, and waits for none of its processes. The events are
 * left out: the copy of an unsynced file, put back, would repeat positions
 * that clients know. Blocks. Returns 0, or -1 with ERR_STORE; then part of the
 * file may exist.
 */
int store_backup(const struct conf *conf, const char *to, struct err *err);

/*
 * Make both files this server's from now on. server is a number that no other
 * server has, not 0. All later writes check it inside the transaction: a
 * process of an earlier server that was frozen and wakes up finds the number
 * changed, and ends. The first keeper claims the store before it reads the
 * contents. Returns 0, or -1 with ERR_STORE.
 */
int store_claim(struct store *s, uint64_t server, struct err *err);

/*
 * From now on, check in each write that both files are this server's. After
 * this call, reads wait for no other process.
 */
void store_serve(struct store *s, uint64_t server);

/*
 * From now on a commit that fails sets *refuses. All processes of the server
 * share it, and it stays set until the keeper's store_probe() finds that writes
 * succeed again and that the reserve exists.
 */
void store_tell(struct store *s, _Atomic uint32_t *refuses);

/*
 * Find out whether a write would succeed now; call it about every second. Takes
 * the write lock of both files, and so waits for other writers, and sets or
 * clears the flags given to store_tell(). It writes only if there is reason for
 * doubt.
 */
void store_probe(struct store *s, const struct conf *conf);

/*
 * Create .co/store/reserve, a file that keeps room on the disk for the ends of
 * turns, if it is missing and there is more room than it needs. Returns whether
 * it exists. For the keeper only, which also does this in store_probe().
 */
bool store_keep_reserve(struct store *s);

/*
 * The disk has no room for the end of a turn: give up the reserve. Returns
 * whether it is now given up, by this process or another; a failed write may
 * then be retried.
 */
bool store_use_reserve(struct store *s);

/*
 * Whether the reserve is given up and not restored yet: the remaining room
 * belongs to the ends of turns.
 */
bool store_is_for_ends(const struct store *s);

/* Whether a transaction failed because the disk or a quota is full. */
bool store_lacks_room(const struct store_txn *t);

/* Whether a transaction failed because pages of the file are damaged. */
bool store_met_damage(const struct store_txn *t);

/*
 * Returns the epoch, which identifies this journal. It is stored in
 * journal.mdb, so a journal that is started anew, for whatever reason, has a
 * different, higher one.
 */
uint64_t store_epoch(const struct store *s);

/*
 * Returns the line for clock_hold(), on which the wall clock was trusted during
 * this boot of the machine, or 0 if unknown. For the keeper only; it blocks.
 */
int64_t store_line(const struct store *s);

/*
 * Store the line. For the keeper only; it blocks. Returns 0, or -1 with
 * ERR_STORE.
 */
int store_set_line(struct store *s, int64_t line_ms, struct err *err);

/*
 * Begin a read on the loop's thread; end it with store_read_end(). Does not
 * fail.
 */
void store_read(struct store *s, struct store_txn *t, enum store_part part);

/* End a read. Returns 0, or -1 with ERR_STORE if a call in it failed. */
int store_read_end(struct store_txn *t, struct err *err);

/*
 * Begin a write. It waits for other writers, so never call it on the loop's
 * thread.
 */
void store_write(struct store *s, struct store_txn *t, enum store_part part);

/* Commit a write. Returns 0, or -1 with ERR_STORE and nothing written. */
int store_commit(struct store_txn *t, struct err *err);

/* Abort a write. */
void store_abort(struct store_txn *t);

/*
 * Each row has a checksum over its table, key and value. A row whose checksum
 * does not match is damaged: it is counted and logged, and its value is not
 * used.
 */
enum store_found { STORE_NONE, STORE_FOUND, STORE_DAMAGED };

/*
 * Read one value, valid until the transaction ends. Returns STORE_NONE also if
 * the transaction has failed.
 */
enum store_found store_look(struct store_txn *t, enum store_table table,
    const void *key, size_t key_len, struct store_span *value);

/* The same for callers that treat a damaged value like a missing one. */
bool store_get(struct store_txn *t, enum store_table table, const void *key,
    size_t key_len, struct store_span *value);

/* Write one value, replacing any existing one. */
void store_put(struct store_txn *t, enum store_table table, const void *key,
    size_t key_len, const void *value, size_t len);

/*
 * Write one value unless the key exists. Returns STORE_NONE if it was written,
 * or what store_look() returns for the existing row.
 */
enum store_found store_add(struct store_txn *t, enum store_table table,
    struct store_span key, struct store_span value,
    struct store_span *existing);

/*
 * Write one value under the number (8 bytes) that follows the last in the
 * table.
 */
void store_append(
    struct store_txn *t, enum store_table table, const void *value, size_t len);

/* Delete one value; harmless if it does not exist. */
void store_delete(struct store_txn *t, enum store_table table, const void *key,
    size_t key_len);

/*
 * Call fn for values in key order from the first key >= key, until it returns
 * false. A damaged value is passed as data NULL with len 0. fn must not write
 * to the table.
 */
void store_each(struct store_txn *t, enum store_table table, const void *key,
    size_t key_len,
    bool (*fn)(struct store_span key, struct store_span value, void *arg),
    void *arg);

/*
 * As store_each(), but downwards from the last key <= key (NULL: from the end).
 */
void store_each_back(struct store_txn *t, enum store_table table,
    const void *key, size_t key_len,
    bool (*fn)(struct store_span key, struct store_span value, void *arg),
    void *arg);

/*
 * Delete the events of a journal with first <= seq <= last. Returns their size
 * in bytes.
 */
uint64_t store_delete_events(
    struct store_txn *t, uint64_t number, uint64_t first, uint64_t last);

/*
 * Free the reader slots of dead processes. Keeper and workers call it
 * periodically.
 */
void store_check_readers(struct store *s);

struct buf;

/* Append the gauges of the store as Prometheus text. */
void store_metrics(struct store *s, struct buf *out);

#endif
