/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef STORE_STORE_INT_H
#define STORE_STORE_INT_H

/*
 * Private to store/, which is the home of LMDB: what a store is made of, from
 * the lowest file to the highest. None calls one that stands after it.
 *
 *   store_table.c    the names of tables and files
 *   store_path.c     where the files are
 *   store_key.c      numbers as keys
 *   store_error.c    what LMDB's errors mean
 *   store_row.c      the bytes of a row
 *   store_server.c   which server a file belongs to
 *   store_mark.c     the mark of the journal
 *   store_txn.c      transactions
 *   store.c          rows inside a transaction
 *   store_meta.c     mends the pages where LMDB begins to read a file
 *   store_env.c      opens one file
 *   store_convert.c  brings facts of an older format into this one
 *   store_move.c     brings the facts from one file into another
 *   store_open.c     puts a store together at the start
 *   store_claim.c    makes a store one server's, which keeps others out
 *   store_reserve.c  keeps room for the ends of turns
 *   store_probe.c    finds out whether writes succeed
 */
#include "store/store.h"

#include <lmdb.h>

#include <limits.h>

#define STORE_N_PARTS 2

/*
 * Behind the name of each table: the format of its rows. The first one had
 * nothing there, and no checksums.
 */
#define STORE_FORMAT ".2"

struct part {
	MDB_env *env;
	MDB_txn *reader; /* the loop's, reset between reads */
	bool is_reading;
};

struct store {
	struct part parts[STORE_N_PARTS];
	bool is_shared; /* facts live in the journal's environment */
	MDB_dbi tables[TABLE_COUNT];
	uint64_t epoch;
	_Atomic uint32_t *refuses; /* bits; NULL: nobody asks */
	uint64_t server;	   /* whose writes these are; 0: not checked */
	char *dir;
};

/* Bits of *refuses. */
enum {
	STORE_FAILED = 1,   /* a write failed */
	STORE_FOR_ENDS = 2, /* the reserve is given up */
};

struct store_path {
	char text[PATH_MAX];
};

/* The name of a part's file. */
const char *store_file_name(enum store_part part);

/* The name of a table, and the same with its format, as LMDB knows it. */
const char *store_table_name(enum store_table table);
const char *store_stored_name(enum store_table table);

/* A path of printf's making; one that is too long is fatal. */
__attribute__((format(printf, 1, 2))) struct store_path store_path(
    const char *fmt, ...);

/* The path of a part's file. */
struct store_path store_file(const char *dir, enum store_part part);

/* Remove the lock file of a data file, which goes with it. */
void store_remove_lock(const char *path);

/* The environment where a part lives. */
struct part *store_part(struct store *s, enum store_part part);

/* Whether an LMDB error says that the file itself is damaged. */
bool store_is_damage(int rc);

/* What an LMDB error means to an operator. */
const char *store_reason(int rc);

/* Count an error and tell it: "store: WHAT: REASON". Returns -1. */
int store_error(struct err *err, const char *what, int rc);

/*
 * Open one file, whose pages are all there. Returns 0, or an LMDB error, and
 * then *env is NULL.
 */
int store_env_open(
    MDB_env **env, const char *path, size_t size, bool is_synced);

/*
 * A row as it is stored has a checksum behind its value, over its table and key
 * as well.
 */
struct store_row {
	enum store_table table;
	MDB_val key;
	const void *value;
	size_t len;
	unsigned flags; /* of mdb_put() */
};

/* Write a row. Returns 0 or an LMDB error. */
int store_row_put(MDB_txn *txn, MDB_dbi dbi, struct store_row *row);

/*
 * View the value of a stored row; false, with *value empty, when it is damaged,
 * which is counted and logged.
 */
bool store_row_view(enum store_table table, const MDB_val *key,
    const MDB_val *stored, struct store_span *value);

/* The bytes of the value of a stored row. */
size_t store_row_len(const MDB_val *stored);

/*
 * Before anybody opens a file: when one of its two meta pages is damaged, make
 * it whole, or as the other one is, which costs the last commit at most. A copy
 * of the file as it was stays beside it.
 */
void store_meta_check(const char *path);

/*
 * LMDB cannot use what the newer meta page leads to: go back to the older one.
 * False when it is no better.
 */
bool store_meta_fall_back(const char *path);

/* Write which server a file belongs to. Returns 0 or an LMDB error. */
int store_server_put(MDB_env *env, uint64_t server);

/* End the process, if the file of a write now is another server's. */
void store_server_check(
    const struct store *s, MDB_txn *txn, enum store_part part);

/* Move all tables of facts that there are. Returns 0 or an LMDB error. */
int store_move_facts(MDB_env *from, MDB_env *to);

/* Whether a file has tables of an older format. */
bool store_is_old(MDB_env *env);

/*
 * Convert what is of an older format: facts get their checksums;
 * events go, and with them the epoch. Returns 0 or an LMDB error.
 */
int store_convert(MDB_env *env);

/*
 * Throw the journal in a folder away, and mark its place for this boot, unless
 * the one there was written under it and is not known to be damaged. Returns 0,
 * or -1 with ERR_STORE.
 */
int store_mark_renew(const char *dir, struct err *err);

/*
 * Note that pages of the journal are damaged, so that the next store_mark_renew()
 * throws it away. Whether nobody had.
 */
bool store_mark_damage(const char *dir);

/* Whether there is a mark. */
bool store_mark_exists(const char *dir);

/*
 * An epoch for a new journal: the wall clock's milliseconds, but higher than
 * each before. Returns 0, or -1 with ERR_STORE.
 */
int store_mark_epoch(const char *dir, uint64_t *epoch, struct err *err);

/* What store_line() and store_set_line() keep there. */
int64_t store_mark_line(const char *dir);
int store_mark_set_line(const char *dir, int64_t line_ms, struct err *err);

#endif
