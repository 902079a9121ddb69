/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef STORE_FEED_H
#define STORE_FEED_H

/*
 * The feed tells the keeper which records changed, in order. A row is written
 * in the same transaction as the record itself, so no change is missed and none
 * is reported that did not happen; the keeper deletes rows once it has
 * processed them. A row holds the record as it was written. Texts longer than
 * FEED_TEXT are left out: the record itself still has them unless another turn
 * has begun.
 */
#include "store/record.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conf;
struct err;

#define FEED_TEXT 4096

/* Whether the settings require a feed. */
bool feed_is_wanted(const struct conf *conf);

/*
 * In a transaction of facts: write a session's record, and a row of the feed
 * that reports it. This is the write function of a commit's row.
 */
void feed_write(
    struct store_txn *t, struct store_span key, struct store_span record);

struct feed_row {
	uint64_t key;
	struct record record;
	/*
	 * The conversation that belongs to it; data is NULL if the session has
	 * moved on since.
	 */
	struct store_span talk;
};

/*
 * Call fn for the rows after key 'after', in order, until it returns false.
 * Views are valid inside fn only. Damaged rows are skipped. Returns the key of
 * the last row that was examined, or 'after' if there is none.
 */
uint64_t feed_read(struct store *s, uint64_t after,
    bool (*fn)(const struct feed_row *row, void *arg), void *arg);

/* Returns the key of the last row, or 0 if the feed is empty. */
uint64_t feed_last(struct store *s);

/* Delete the rows from 'first' to 'last'. Returns 0, or -1 with ERR_STORE. */
int feed_drop(struct store *s, uint64_t first, uint64_t last, struct err *err);

#endif
