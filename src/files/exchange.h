/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef FILES_EXCHANGE_H
#define FILES_EXCHANGE_H

/*
 * Conversion between session_results.jsonl, as this server and the Python host
 * write it, and the store.
 */
#include "base/buf.h"
#include "files/results.h"
#include "store/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct results;
struct store;

/* Receives the lines of exchange_lines(). */
struct exchange_sink {
	/* Whether the line of this record is wanted; NULL: all are. */
	bool (*wants)(const struct record *r, void *arg);
	/*
	 * Receive whole lines. No read transaction is open meanwhile. Returns
	 * 0, or -1 with *err.
	 */
	int (*take)(const struct buf *lines, void *arg, struct err *err);
	void *arg;
};

/*
 * Pass the lines of all sessions that have not expired to the sink, oldest
 * first, a few megabytes at a time. The store may be written meanwhile. Returns
 * 0, or -1 with *err.
 */
int exchange_lines(
    struct store *store, const struct exchange_sink *sink, struct err *err);

/* Write all lines to descriptor fd. Returns 0, or -1 with *err. */
int exchange_export(struct store *store, int fd, struct err *err);

/* The result of an import, in sessions; 'left' is in lines. */
struct exchange_count {
	size_t added;
	size_t kept;	/* the store has it in the same or a newer state */
	size_t expired; /* too old to be useful */
	size_t left;	/* lines that are not a session record */
};

/*
 * Import the last line of each session of a file (locked, or opened) into the
 * store, which nobody else may use meanwhile. A turn that was running when its
 * server died becomes "interrupted". A result without a time of its own expires
 * ttl_ms from now. Skipped lines are counted, and reported to left (with NULL
 * as its arg; it may be NULL). The file is not changed. Returns 0, or -1 with
 * *err and a part of it imported.
 */
int exchange_import(struct store *store, struct results *file, int64_t ttl_ms,
    results_left_fn *left, struct exchange_count *count, struct err *err);

/* Whether the store has no session at all. */
bool exchange_is_empty(struct store *store);

#endif
