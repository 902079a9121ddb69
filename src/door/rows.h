/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DOOR_ROWS_H
#define DOOR_ROWS_H

/*
 * A session as rows: the events of its journal by position, for clients that
 * keep them (doc/oip.txt 15; frame_row() makes one). A page is read in one
 * tick, so its size is bounded. The caller checks who may read.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct json;
struct session;
struct sessions;

/* The rows of one page, unless a query says otherwise, and at most. */
#define ROWS_PRESET 200
#define ROWS_MAX 1000

/* A page ends with the row with which it reaches this size. */
#define ROWS_BYTES ((size_t)512 * 1024)

/* Which rows: the newest ones, or those on one side of a position. */
struct rows_query {
	enum rows_side { ROWS_NEWEST, ROWS_BEFORE, ROWS_AFTER } side;
	uint64_t pos;
	size_t limit; /* 1 to ROWS_MAX */
};

/*
 * Make a query of the numbers of a request; -1: absent. Returns NULL, or the
 * complaint for the client.
 */
const char *rows_query(
    struct rows_query *q, int64_t before, int64_t after, int64_t limit);

/* Returns the position of the oldest row that is kept; 0: none. */
uint64_t rows_first(const struct session *s);

/*
 * Append a page as members of an object: session_id, epoch, head, first, rows,
 * before and after.
 */
void rows_put_page(struct buf *out, const struct sessions *all,
    const struct session *s, const struct rows_query *q);

#endif
