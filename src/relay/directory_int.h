/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef RELAY_DIRECTORY_INT_H
#define RELAY_DIRECTORY_INT_H

/*
 * Private to relay/: the connection that the files of the directory share, and
 * the only home of libsqlite3. No other file may include this.
 */
#include "relay/directory.h"

#include <sqlite3.h>

#include <pthread.h>

enum directory_statement {
	DO_BEGIN,
	DO_COMMIT,
	DO_ROLLBACK,
	DO_GET,
	DO_INSERT,
	DO_SEEN,
	DO_SAY,	    /* what a host said */
	DO_PUBLISH, /* a profile for good */
	DO_UNINDEX,
	DO_INDEX,
	DO_COUNT,
	DO_OLDEST,
	DO_DELETE,
	DO_FIND,
	DO_FOUND,
	DIRECTORY_STATEMENTS
};

struct directory {
	pthread_mutex_t mutex;
	sqlite3 *db;
	sqlite3_stmt *statements[DIRECTORY_STATEMENTS];
	int64_t stop_us; /* when to give up a search; 0: never */
};

/*
 * Returns a statement without values, prepared at its first use. NULL: it
 * cannot be prepared.
 */
sqlite3_stmt *directory_statement(
    struct directory *d, enum directory_statement which);

/* Bind a text that lives until the statement is reset; NULL is NULL. */
void directory_bind(sqlite3_stmt *s, int i, const char *text);
void directory_bind_span(sqlite3_stmt *s, int i, struct span text);

/* Run a statement to its end, and reset it. Returns whether it succeeded. */
bool directory_run(sqlite3_stmt *s);

/* Returns a copy of a column, or NULL if it is NULL. */
char *directory_column(sqlite3_stmt *s, int i);

/* Set *err to what went wrong last, count it, and return -1. */
int directory_fail(struct directory *d, const char *what, struct err *err);

#endif
