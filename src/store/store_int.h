/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef STORE_STORE_INT_H
#define STORE_STORE_INT_H

/*
 * Private to store/, the only user of LMDB: the files of which the store
 * consists, from the lowest to the highest. None calls one listed after it.
 *
 *   store_table.c    the names of tables and files
 *   store_path.c     the paths of files
 *   store_key.c      numbers as keys
 *   store_error.c    the meaning of LMDB's errors
 *   store_row.c      the bytes of a row
 *   store_server.c   which server a file belongs to
 *   store_mark.c     the mark of the journal
 *   store_txn.c      transactions
 *   store.c          rows inside a transaction
 *   store_meta.c     repairs the pages where LMDB begins to read a file
 *   store_env.c      opens one file
 *   store_format.c   the version of the format of a file
 *   store_convert.c  converts facts from an older format
 *   store_move.c     moves the facts from one file to another
 *   store_backup.c   copies the facts of a store in use
 *   store_open.c     opens a whole store
 *   store_claim.c    claims a store for one server and keeps others out
 *   store_reserve.c  keeps room for the ends of turns
 *   store_probe.c    finds out whether writes succeed
 */
#include "store/store.h"

#include <lmdb.h>

#include <limits.h>

#define STORE_N_PARTS 2

/*
 * The format of rows, appended to the name of each table. In the first format
 * the names had no suffix, and the rows no checksums.
 */
#define STORE_FORMAT ".2"

struct part {
	MDB_env *env;
	MDB_txn *reader; /* of the loop, reset between reads */
	bool is_reading;
};

struct store {
	struct part parts[STORE_N_PARTS];
	bool is_shared; /* facts live in the journal's environment */
	MDB_dbi tables[TABLE_COUNT];
	uint64_t epoch;
	_Atomic uint32_t *refuses; /* bits; NULL: not reported */
	uint64_t server;	   /* which server writes; 0: not checked */
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

/* Returns the name of a part's file. */
const char *store_file_name(enum store_part part);

/*
 * Returns the name of a table, and the same with its format, as LMDB knows it.
 */
const char *store_table_name(enum store_table table);
const char *store_stored_name(enum store_table table);

/* Format a path; if it is too long, that is fatal. */
__attribute__((format(printf, 1, 2))) struct store_path store_path(
    const char *fmt, ...);

/* Returns the path of a part's file. */
struct store_path store_file(const char *dir, enum store_part part);

/* Remove the lock file that belongs to a data file. */
void store_remove_lock(const char *path);

/* Returns the environment in which a part lives. */
struct part *store_part(struct store *s, enum store_part part);

/* Whether an LMDB error means that the file itself is damaged. */
bool store_is_damage(int rc);

/* Returns what an LMDB error means to an operator. */
const char *store_reason(int rc);

/* Count an error and set *err to "store: WHAT: REASON". Returns -1. */
int store_error(struct err *err, const char *what, int rc);

/*
 * Open one file and check that all its pages exist. Returns 0, or an LMDB
 * error, and then *env is NULL.
 */
int store_env_open(
    MDB_env **env, const char *path, size_t size, bool is_synced);

/*
 * A row. As stored, its value is followed by a checksum over table, key and
 * value.
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
 * View the value of a stored row. Returns false, with *value empty, if it is
 * damaged, which is counted and logged.
 */
bool store_row_view(enum store_table table, const MDB_val *key,
    const MDB_val *stored, struct store_span *value);

/* Returns the length of the value of a stored row in bytes. */
size_t store_row_len(const MDB_val *stored);

/*
 * Call this before any process opens a file: if one of its two meta pages is
 * damaged, repair it, or replace it by the other, which loses the last commit
 * at most. A copy of the original file is kept beside it.
 */
void store_meta_check(const char *path);

/*
 * LMDB cannot use what the newer meta page refers to: go back to the older one.
 * Returns false if that is no better.
 */
bool store_meta_fall_back(const char *path);

/* Write which server a file belongs to. Returns 0, or an LMDB error. */
int store_server_put(MDB_env *env, uint64_t server);

/* End the process if the file of a write belongs to another server by now. */
void store_server_check(
    const struct store *s, MDB_txn *txn, enum store_part part);

/* Move all tables of facts that exist. Returns 0, or an LMDB error. */
int store_move_facts(MDB_env *from, MDB_env *to);

/* Copy all tables of facts that exist. Returns 0, or an LMDB error. */
int store_copy_facts(MDB_txn *from, MDB_txn *to);

/* The error of a file with a format that is too new for this program. */
#define STORE_NEWER 1000001

/*
 * Returns 0, STORE_NEWER, or an LMDB error. A file without a version has an
 * older format, or is new.
 */
int store_format_check(MDB_env *env);

/*
 * Write our version into a file that has an older one or none. Returns 0, or an
 * LMDB error.
 */
int store_format_put(MDB_env *env);

/* Set the error for STORE_NEWER. Returns -1. */
int store_format_refuse(const char *path, struct err *err);

/* Whether a file has tables of an older format. */
bool store_is_old(MDB_env *env);

/*
 * Convert tables of an older format: facts get their checksums; events are
 * dropped, and with them the epoch. Returns 0, or an LMDB error.
 */
int store_convert(MDB_env *env);

/*
 * Discard the journal in a folder and mark the next one as written in this
 * boot, unless the existing one was written in this boot and is not known to be
 * damaged. Returns 0, or -1 with ERR_STORE.
 */
int store_mark_renew(const char *dir, struct err *err);

/*
 * Note that pages of the journal are damaged, so that the next
 * store_mark_renew() discards it. Returns whether this was the first note.
 */
bool store_mark_damage(const char *dir);

/* Whether there is a mark. */
bool store_mark_exists(const char *dir);

/*
 * Choose an epoch for a new journal: the wall clock's milliseconds, but higher
 * than any before. Returns 0, or -1 with ERR_STORE.
 */
int store_mark_epoch(const char *dir, uint64_t *epoch, struct err *err);

/* Get and set the line of store_line() in the mark. */
int64_t store_mark_line(const char *dir);
int store_mark_set_line(const char *dir, int64_t line_ms, struct err *err);

#endif
