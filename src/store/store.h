/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef STORE_STORE_H
#define STORE_STORE_H

/*
 * What survives processes: two LMDB environments under .co/store, opened by
 * each worker and the keeper after exec, never by the master and never across a
 * fork.
 *
 *   facts.mdb    inputs accepted, results, conversations. Every commit is
 * synced before it returns, so a power cut loses nothing that was told.
 *   journal.mdb  the events of sessions, in order. Commits survive the death of
 * any process but are not synced; after a crash of the machine the file is
 * thrown away (the epoch changes) and nothing but chatter is lost.
 *
 * With 'durability: process' the facts live in journal.mdb too. An unsynced
 * commit can corrupt a whole environment at a power cut; that is why the two
 * never mix otherwise.
 *
 * When the disk fails in the moment that makes a commit valid, nobody knows
 * whether it is: the process ends at once (fatal), and the next one sees.
 *
 * A transaction carries its error: after the first failure every call on it
 * does nothing, and the end reports it once. Reading is done on the loop's
 * thread or by the keeper, one read transaction a part at a time; writing by
 * committer threads.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conf;
struct err;
struct store;

enum store_part { STORE_FACTS, STORE_JOURNAL };

enum store_table {
	TABLE_IDS,	/* facts: session id -> number (8 bytes) */
	TABLE_SESSIONS, /* facts: number -> record */
	TABLE_TALKS,	/* facts: number -> conversation (JSON) */
	TABLE_CLAIMS,	/* facts: digest of scope and input_id -> claim */
	TABLE_USED,	/* facts: digest of a signature -> when it was used */
	TABLE_FEED,	/* facts: growing number -> record, as it was put */
	TABLE_USAGE,	/* facts: day and digest of a caller -> what it spent */
	TABLE_WAITING,	/* facts: number, place -> input into a running turn */
	TABLE_JOURNALS, /* journal: number -> where its events are */
	TABLE_EVENTS,	/* journal: number, seq -> event */
	TABLE_NOTES,	/* journal: about itself: "epoch" -> number (8 bytes) */
	TABLE_COUNT
};

/* Where a table lives. */
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

/* A big-endian key of one or two numbers, so that byte order is number order.
 */
struct store_key {
	unsigned char bytes[16];
};

/* The key of a number (8 bytes). */
struct store_key store_key1(uint64_t a);

/* The key of a pair (16 bytes). */
struct store_key store_key2(uint64_t a, uint64_t b);

/* The number that 8 bytes of a key hold. */
uint64_t store_number(const void *bytes);

/*
 * Open both environments. The keeper (is_keeper) opens first: it makes what is
 * missing, converts what an older program wrote, throws away a journal that
 * another boot left behind, and moves a file that cannot be read aside (to
 * *.corrupt-TIME, with an error in the log). A journal without facts never
 * prevents that. NULL with ERR_STORE.
 */
struct store *store_open(
    const struct conf *conf, bool is_keeper, struct err *err);

/* Close and null *s. */
void store_close(struct store **s);

/*
 * From now on both files are this server's (a number that no other has, not 0)
 * and all later writes are checked against it, in the transaction itself: a
 * process of an earlier server that was frozen and wakes up finds the number
 * changed, and ends. The first keeper claims, before it looks at what is there.
 * Returns 0, or -1 with ERR_STORE.
 */
int store_claim(struct store *s, uint64_t server, struct err *err);

/*
 * Check from now on that both files are this server's. Reads do not wait for
 * anybody after this.
 */
void store_serve(struct store *s, uint64_t server);

/*
 * From now on a commit that fails sets *refuses, which all processes of the
 * server share, and which stays set until the keeper's store_probe() finds that
 * writes succeed again, and has its reserve.
 */
void store_tell(struct store *s, _Atomic uint32_t *refuses);

/*
 * Find out whether a write would succeed now, every second or so: takes the
 * lock of both files, and so waits for other writers, and sets or clears what
 * store_tell() was given. It writes only when there is cause for doubt.
 */
void store_probe(struct store *s, const struct conf *conf);

/*
 * .co/store/reserve takes up room on the disk for the ends of turns. Make it, if
 * it is not there and there is more room than it needs; whether it is there. Of
 * the keeper alone, which does so with each store_probe() too.
 */
bool store_keep_reserve(struct store *s);

/*
 * The disk has no room for the end of a turn: give the reserve up. Whether it is
 * given up now, by this process or another: then what has failed may succeed.
 */
bool store_use_reserve(struct store *s);

/*
 * Whether the reserve is given up and not made anew yet: what room there is
 * belongs to the ends of turns.
 */
bool store_is_for_ends(const struct store *s);

/* Whether a transaction failed because the disk is full, or a quota of it. */
bool store_lacks_room(const struct store_txn *t);

/* Whether it failed because pages of the file are damaged. */
bool store_met_damage(const struct store_txn *t);

/*
 * Names this journal; it lies in journal.mdb, so one that begins anew, for
 * whatever reason, has another, which is higher.
 */
uint64_t store_epoch(const struct store *s);

/*
 * Where the wall clock was believed under this boot of the machine (what
 * clock_hold() takes): 0 when nobody said. Of the keeper alone; it blocks.
 */
int64_t store_line(const struct store *s);
int store_set_line(struct store *s, int64_t line_ms, struct err *err);

/* Begin to read on the loop's thread; end with store_read_end(). Never fails
 * itself. */
void store_read(struct store *s, struct store_txn *t, enum store_part part);

/* End a read. Returns 0, or -1 with ERR_STORE if something in it failed. */
int store_read_end(struct store_txn *t, struct err *err);

/* Begin to write; waits for other writers, so never on the loop's thread. */
void store_write(struct store *s, struct store_txn *t, enum store_part part);

/* Commit. Returns 0, or -1 with ERR_STORE and nothing written. */
int store_commit(struct store_txn *t, struct err *err);

/* Give a write up. */
void store_abort(struct store_txn *t);

/*
 * Each row has a checksum over its table, its key and its value. A row that
 * does not fit its own is damaged: it is counted and logged, and nothing is
 * read from it.
 */
enum store_found { STORE_NONE, STORE_FOUND, STORE_DAMAGED };

/* Read one value. STORE_NONE also when the transaction has failed. */
enum store_found store_look(struct store_txn *t, enum store_table table,
    const void *key, size_t key_len, struct store_span *value);

/* The same for who cannot do better with a damaged value than without one. */
bool store_get(struct store_txn *t, enum store_table table, const void *key,
    size_t key_len, struct store_span *value);

/* Write one value over whatever is there. */
void store_put(struct store_txn *t, enum store_table table, const void *key,
    size_t key_len, const void *value, size_t len);

/* Write one value under the number (8 bytes) after the last one in the table. */
void store_append(
    struct store_txn *t, enum store_table table, const void *value, size_t len);

/* Delete one value; harmless when it is not there. */
void store_delete(struct store_txn *t, enum store_table table, const void *key,
    size_t key_len);

/*
 * Call fn for values in key order from the first key >= key, until it returns
 * false. A damaged value is given as data NULL with len 0. fn must not write to
 * the table.
 */
void store_each(struct store_txn *t, enum store_table table, const void *key,
    size_t key_len,
    bool (*fn)(struct store_span key, struct store_span value, void *arg),
    void *arg);

/* As store_each, from the last key <= key (NULL: the last of all) downwards. */
void store_each_back(struct store_txn *t, enum store_table table,
    const void *key, size_t key_len,
    bool (*fn)(struct store_span key, struct store_span value, void *arg),
    void *arg);

/* Delete events of a journal with first <= seq <= last; returns their bytes. */
uint64_t store_delete_events(
    struct store_txn *t, uint64_t number, uint64_t first, uint64_t last);

/* Free reader slots of dead processes. Keeper and workers, now and then. */
void store_check_readers(struct store *s);

/* Append store gauges as Prometheus text. */
struct buf;
void store_metrics(struct store *s, struct buf *out);

#endif
