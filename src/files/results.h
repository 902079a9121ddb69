/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef FILES_RESULTS_H
#define FILES_RESULTS_H

/*
 * A file such as .co/session_results.jsonl: one line (result_line.h) for each change
 * of a session's record; the last line of an id counts. Others may append to it
 * or replace it, so whatever is done here is done under the lock that all of
 * them take, flock() on session_results.jsonl.lock. For one process at a time
 * and never on a loop that serves: calls wait for the disk, though not for the
 * lock.
 */
#include "base/buf.h"
#include "store/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct map;
struct result_line;
struct results;

/* The file at this path; nothing is opened yet. */
struct results *results_new(const char *path);

/* Unlock if need be, free and null *r. */
void results_free(struct results **r);

/*
 * Take the lock and open the file (made 0600), with a last line that is not
 * whole put right. Returns 0; 1 when another has the lock: try later; or -1
 * with *err.
 */
int results_lock(struct results *r, struct err *err);

/*
 * Open the file to read it as it is, without the lock; results_unlock() closes
 * it. 0, or -1 with *err.
 */
int results_open(struct results *r, struct err *err);

/* Close the file and give the lock back. */
void results_unlock(struct results *r);

/* Locked: how large the file is. */
uint64_t results_size(const struct results *r);

/*
 * Locked: append whole lines. 0, or -1 with *err (a full disk, say) and the
 * file as it was.
 */
int results_append(struct results *r, const struct buf *lines, struct err *err);

/* What the file says of a session last. */
struct result_mark {
	uint64_t at; /* where its line is */
	size_t line; /* its number, from 1 */
	size_t len;  /* with the newline */
	int64_t created_ms;
	int64_t expires_ms; /* 0: never */
	enum record_status status;
};

/* Hears of a line that is of no use, and why. */
typedef void results_left_fn(void *arg, size_t line, const char *why);

/*
 * Locked or open: the marks of all sessions by id, which results_marks_free()
 * frees; NULL with *err. Lines that are no record, or are very long, are passed
 * over; left (may be NULL) hears of each.
 */
struct map *results_marks(
    struct results *r, results_left_fn *left, void *arg, struct err *err);

/* Free them and null *marks. */
void results_marks_free(struct map **marks);

/*
 * Locked: write the file anew with the marked lines alone, oldest first, but
 * for expired ones. Skipped when that would save nothing, or when somebody
 * appended without the lock. 0, or -1 with *err and the file as it was.
 */
int results_compact(
    struct results *r, const struct map *marks, struct err *err);

/* Locked or open: read the line of a mark. 0, or -1 with *err. */
int results_read(struct results *r, const struct result_mark *mark,
    struct result_line *line, struct err *err);

#endif
