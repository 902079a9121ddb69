/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef FILES_RESULTS_H
#define FILES_RESULTS_H

/*
 * A file such as .co/session_results.jsonl: one line (result_line.h) for each
 * change of a session's record; the last line of an id is the current one.
 * Other programs may append to it or replace it, so every access is made under
 * the lock that all of them take, flock() on session_results.jsonl.lock. For
 * one process at a time, and never on a loop that serves clients: calls wait
 * for the disk, though not for the lock.
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

/* Create the object for the file at this path; nothing is opened yet. */
struct results *results_new(const char *path);

/* Unlock if necessary, free, and null *r. */
void results_free(struct results **r);

/*
 * Take the lock, open the file (created with mode 0600), and repair an
 * incomplete last line. Returns 0; 1 if another process has the lock: try
 * later; or -1 with *err.
 */
int results_lock(struct results *r, struct err *err);

/*
 * Open the file for reading as it is, without the lock; results_unlock() closes
 * it. Returns 0, or -1 with *err.
 */
int results_open(struct results *r, struct err *err);

/* Close the file and release the lock. */
void results_unlock(struct results *r);

/* While locked: the size of the file. */
uint64_t results_size(const struct results *r);

/*
 * While locked: append whole lines. Returns 0, or -1 with *err (such as a full
 * disk) and the file unchanged.
 */
int results_append(struct results *r, const struct buf *lines, struct err *err);

/* Where the file has the current line of a session. */
struct result_mark {
	uint64_t at; /* offset of the line */
	size_t line; /* number of the line, from 1 */
	size_t len;  /* including the newline */
	int64_t created_ms;
	int64_t expires_ms; /* 0: never */
	enum record_status status;
};

/* Called for each unusable line, with the reason. */
typedef void results_left_fn(void *arg, size_t line, const char *why);

/*
 * While locked or open: collect the marks of all sessions by id. Returns a map
 * for results_marks_free(), or NULL with *err. Lines that are not records, or
 * are too long, are skipped and reported to left (may be NULL).
 */
struct map *results_marks(
    struct results *r, results_left_fn *left, void *arg, struct err *err);

/* Free the map and null *marks. */
void results_marks_free(struct map **marks);

/*
 * While locked: rewrite the file with only the marked lines, oldest first,
 * except expired ones. Skipped if that would save nothing, or if another
 * program appended without the lock. Returns 0, or -1 with *err and the file
 * unchanged.
 */
int results_compact(
    struct results *r, const struct map *marks, struct err *err);

/* While locked or open: read the line of a mark. Returns 0, or -1 with *err. */
int results_read(struct results *r, const struct result_mark *mark,
    struct result_line *line, struct err *err);

#endif
