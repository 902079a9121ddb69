/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef LIMITS_USAGE_H
#define LIMITS_USAGE_H

/*
 * What the turns of each identity have used today, by UTC: tokens and dollars,
 * as agents report them in llm_result (co-agent(7)), and the budget set by
 * limit_tokens and limit_cost. All anonymous callers share one budget.
 *
 * The sums of all workers are in shared memory. The end of a turn writes the
 * sum, not its own share, into TABLE_USAGE, so a commit may be repeated, and
 * the usage of a dead worker's turns is written with the next one. A sum that
 * is not in memory, after a restart, is read from there.
 */
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conf;
struct err;
struct heritage;

/* An amount of usage. */
struct usage {
	uint64_t tokens;
	uint64_t cost_us; /* millionths of a dollar */
};

/* Where the sums are stored. */
struct usage_sums {
	struct heritage *heritage;
	struct store *store;
};

/*
 * Read the usage from the body of an llm_result. Returns false if it has none.
 * A value that is not a number, or is negative, counts as 0.
 */
bool usage_read(const char *body, size_t len, struct usage *out);

/* Charge usage to a caller ("": anonymous) for today. Returns the sum. */
struct usage usage_add(
    const struct usage_sums *s, const char *caller, const struct usage *more);

/*
 * Check whether a turn of the caller may begin. Returns 0, or -1 with
 * ERR_LIMIT.
 */
int usage_check(const struct usage_sums *s, const struct conf *conf,
    const char *caller, struct err *err);

/* A caller's sum of one day as a row of TABLE_USAGE. */
struct usage_row {
	uint8_t key[20];
	struct usage sum;
};

/* Make the row of the caller's sum of today. Returns false if the sum is 0. */
bool usage_row(
    struct usage_row *row, const struct usage_sums *s, const char *caller);

/*
 * In a transaction of facts: write a row (its key and sum), unless a larger sum
 * is stored. This is the write function of a commit's row.
 */
void usage_write(
    struct store_txn *t, struct store_span key, struct store_span value);

/* For the keeper, periodically: delete a bounded number of old rows. */
void usage_expire(struct store *store);

#endif
