/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "access/uses.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/err.h"
#include "identity/signed.h"
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

/* The number of rows examined in one step of uses_expire(), of each table. */
#define EXPIRE_STEP 1000

/* With at least this many removed, there may be more. */
#define EXPIRE_BUSY 50

/* Old spans are deleted in groups, since each commit is synced. */
#define OLD_SPANS 24

/* Fresh signatures are of fewer spans, so that none displaces another. */
#define N_SPANS 256
#define FRESH_MS (2 * SIGNED_WINDOW * 1000)
_Static_assert(N_SPANS > FRESH_MS / USES_SPAN_MS + 2, "room for all spans");

struct span {
	uint64_t number;
	enum { SPAN_UNKNOWN, SPAN_OPEN, SPAN_CLOSED } state;
};

struct uses {
	struct store *store;
	struct span spans[N_SPANS]; /* what is known of them */
};

/* The key of a claim: signatures that expire together are neighbours. */
struct key {
	uint8_t bytes[8 + 32];
	size_t len;
};

/* The row of a claim. */
struct row {
	int64_t until_ms;
	int64_t claimed_ms;
	uint64_t peer;
	uint64_t has_grace;
};

/* ---- spans ---- */

static struct span *uses_span_of(struct uses *u, const struct use *use)
{
	uint64_t number = (uint64_t)(use->until_ms / USES_SPAN_MS);
	struct span *span = &u->spans[number % N_SPANS];
	if (span->number != number)
		*span = (struct span){.number = number};
	return span;
}

/* Find out the state of a span; mark it, and return true, if it has no mark. */
static bool enter(struct uses *u, struct store_txn *t, struct span *span)
{
	uint64_t epoch = store_epoch(u->store);
	struct store_key key = store_key1(span->number);
	struct store_key mark = store_key1(epoch);
	struct store_span row;
	enum store_found found = store_look(t, TABLE_SPANS, key.bytes, 8, &row);
	bool is_ours = found == STORE_FOUND && row.len == 8 &&
		       store_number(row.data) == epoch;
	span->state = found == STORE_NONE || is_ours ? SPAN_OPEN : SPAN_CLOSED;
	if (found != STORE_NONE)
		return false;
	store_put(t, TABLE_SPANS, key.bytes, 8, mark.bytes, 8);
	return true;
}

static bool is_unknown(struct uses *u, const struct use *use)
{
	return !use->is_lasting && uses_span_of(u, use)->state == SPAN_UNKNOWN;
}

static bool has_unknown(struct uses *u, struct use *const *all, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_unknown(u, all[i]))
			return true;
	return false;
}

/* Enter the spans of all claims. If that fails, no span is known. */
static void enter_all(struct uses *u, struct use *const *all, size_t n)
{
	struct store_txn t;
	struct err err;
	bool has_written = false;
	if (!has_unknown(u, all, n))
		return;
	store_write(u->store, &t, STORE_FACTS);
	for (size_t i = 0; i < n; i++)
		if (is_unknown(u, all[i]))
			has_written |= enter(u, &t, uses_span_of(u, all[i]));
	if (!has_written && !t.rc) {
		store_abort(&t);
	} else if (store_commit(&t, &err) != 0) {
		log_error("gate: signatures are refused: %s", err.text);
		memset(u->spans, 0, sizeof u->spans);
	}
}

/* ---- claims ---- */

static bool is_graced(const struct row *old, const struct use *use, int64_t now)
{
	return old->has_grace && use->has_grace && old->peer == use->peer &&
	       now - old->claimed_ms <= USES_GRACE_MS;
}

static struct key key_of(
    enum store_table table, const uint8_t digest[32], int64_t until_ms)
{
	struct store_key until = store_key1((uint64_t)until_ms);
	struct key key = {.len = 0};
	if (table == TABLE_SPENT) {
		memcpy(key.bytes, until.bytes, 8);
		key.len = 8;
	}
	memcpy(key.bytes + key.len, digest, 32);
	key.len += 32;
	return key;
}

static void uses_claim_one(
    struct store_txn *t, enum store_table table, struct use *use)
{
	struct key key = key_of(table, use->digest, use->until_ms);
	struct store_span found;
	struct row old;
	int64_t now = clock_expiry_ms();
	struct row mine = {.until_ms = use->until_ms,
	    .claimed_ms = now,
	    .peer = use->peer,
	    .has_grace = use->has_grace};
	enum store_found is_there =
	    store_add(t, table, (struct store_span){key.bytes, key.len},
		(struct store_span){&mine, sizeof mine}, &found);
	if (is_there == STORE_NONE)
		return;
	if (is_there == STORE_DAMAGED) {
		use->result = USE_REPEATED; /* certain, whatever follows */
		return;
	}
	if (found.len == sizeof old) {
		memcpy(&old, found.data, sizeof old);
		if (old.until_ms >= now) {
			if (!is_graced(&old, use, now))
				use->result = USE_REPEATED;
			return;
		}
	}
	store_put(t, table, key.bytes, key.len, &mine, sizeof mine);
}

/* Those of one kind that can be made. */
struct kind {
	struct use *const *all;
	size_t n;
	bool is_lasting;
};

static bool is_next(const struct kind *k, size_t *i)
{
	while (*i < k->n && (k->all[*i]->is_lasting != k->is_lasting ||
				k->all[*i]->result != USE_GRANTED))
		++*i;
	return *i < k->n;
}

/* Make one commit for them. */
static void commit(struct uses *u, const struct kind *k)
{
	enum store_table table = k->is_lasting ? TABLE_USED : TABLE_SPENT;
	struct store_txn t;
	struct err err;
	size_t first = 0;
	if (!is_next(k, &first))
		return;
	store_write(u->store, &t, store_part_of(table));
	for (size_t i = first; is_next(k, &i); i++)
		uses_claim_one(&t, table, k->all[i]);
	if (store_commit(&t, &err) == 0)
		return;
	log_error("gate: signatures are refused: %s", err.text);
	for (size_t i = first; is_next(k, &i); i++)
		k->all[i]->result = USE_FAILED;
}

void uses_claim(struct uses *u, struct use *const *all, size_t n)
{
	static const enum use_result results[] = {
	    [SPAN_UNKNOWN] = USE_FAILED,
	    [SPAN_OPEN] = USE_GRANTED,
	    [SPAN_CLOSED] = USE_REPEATED,
	};
	enter_all(u, all, n);
	for (size_t i = 0; i < n; i++)
		all[i]->result = all[i]->is_lasting
				     ? USE_GRANTED
				     : results[uses_span_of(u, all[i])->state];
	commit(u, &(struct kind){all, n, .is_lasting = false});
	commit(u, &(struct kind){all, n, .is_lasting = true});
}

struct uses *uses_new(struct store *store)
{
	struct uses *u = mem_zero(sizeof *u);
	u->store = store;
	return u;
}

void uses_free(struct uses **u)
{
	free(*u);
	*u = NULL;
}

/* ---- for the keeper ---- */

static bool adopt_one(struct store_span key, struct store_span value, void *arg)
{
	struct row row;
	int64_t now = clock_wall_ms();
	if (key.len != 32 || value.len != sizeof row)
		return true;
	memcpy(&row, value.data, sizeof row);
	/* Receipts are remembered for longer than signatures. */
	if (row.until_ms < now || row.until_ms > now + FRESH_MS)
		return true;
	struct key new = key_of(TABLE_SPENT, key.data, row.until_ms);
	store_put(arg, TABLE_SPENT, new.bytes, new.len, &row, sizeof row);
	return true;
}

void uses_adopt(struct store *store)
{
	struct store_txn from, to;
	struct err err;
	store_read(store, &from, STORE_FACTS);
	store_write(store, &to, STORE_JOURNAL);
	store_each(&from, TABLE_USED, NULL, 0, adopt_one, &to);
	int rc = store_read_end(&from, &err);
	if (rc == 0)
		rc = store_commit(&to, &err);
	else
		store_abort(&to);
	if (rc != 0)
		log_error("signatures: %s", err.text);
}

/* Rows to be deleted. */
struct old_rows {
	size_t n;
	struct key keys[EXPIRE_STEP];
	int64_t now_ms;
	size_t left;   /* of the receipts to examine */
	uint64_t next; /* receipt */
};

static void note_old(struct old_rows *old, struct store_span key)
{
	struct key *k = &old->keys[old->n];
	if (key.len > sizeof k->bytes)
		return; /* damaged */
	old->n++;
	memcpy(k->bytes, key.data, key.len);
	k->len = key.len;
}

/* Those that expire first come first. */
static bool look_at_used(
    struct store_span key, struct store_span value, void *arg)
{
	struct old_rows *old = arg;
	(void)value;
	if ((int64_t)store_number(key.data) >= old->now_ms)
		return false;
	note_old(old, key);
	return old->n < EXPIRE_STEP;
}

static bool look_at_span(
    struct store_span key, struct store_span value, void *arg)
{
	struct old_rows *old = arg;
	int64_t end = (int64_t)(store_number(key.data) + 1) * USES_SPAN_MS;
	(void)value;
	if (end >= old->now_ms)
		return false;
	note_old(old, key);
	return old->n < EXPIRE_STEP;
}

static bool look_at_receipt(
    struct store_span key, struct store_span value, void *arg)
{
	struct old_rows *old = arg;
	struct row row;
	old->next = store_number(key.data);
	if (!old->left--)
		return false;
	old->next = 0;
	if (key.len != 32 || value.len != sizeof row)
		return true;
	memcpy(&row, value.data, sizeof row);
	if (row.until_ms < old->now_ms)
		note_old(old, key);
	return true;
}

/* Returns how many were deleted. */
static size_t uses_delete(
    struct store *store, enum store_table table, const struct old_rows *old)
{
	struct store_txn t;
	struct err err;
	store_write(store, &t, store_part_of(table));
	for (size_t i = 0; i < old->n; i++)
		store_delete(&t, table, old->keys[i].bytes, old->keys[i].len);
	if (store_commit(&t, &err) == 0)
		return old->n;
	log_error("%s", err.text);
	return 0;
}

/* One table, and what finds its old rows. */
struct expiry {
	enum store_table table;
	bool (*look)(struct store_span key, struct store_span value, void *arg);
	size_t least; /* fewer are left for later */
};

/* Delete old rows from *cursor on. Returns how many were deleted. */
static size_t expire(
    struct store *store, const struct expiry *e, uint64_t *cursor)
{
	struct old_rows *old = mem_zero(sizeof *old);
	struct store_key key = store_key1(*cursor);
	struct store_txn t;
	struct err err;
	size_t n = 0;
	old->now_ms = clock_expiry_ms();
	old->left = EXPIRE_STEP;
	store_read(store, &t, store_part_of(e->table));
	store_each(&t, e->table, key.bytes, 8, e->look, old);
	(void)store_read_end(&t, &err); /* the next round tries again */
	*cursor = old->next;
	if (old->n >= e->least)
		n = uses_delete(store, e->table, old);
	free(old);
	return n;
}

bool uses_expire(struct store *store, uint64_t *receipt)
{
	static const struct expiry used = {TABLE_SPENT, look_at_used, 1};
	static const struct expiry spans = {
	    TABLE_SPANS, look_at_span, OLD_SPANS};
	static const struct expiry receipts = {TABLE_USED, look_at_receipt, 1};
	uint64_t start = 0;
	size_t n = expire(store, &used, &start);
	(void)expire(store, &spans, &start);
	return n + expire(store, &receipts, receipt) >= EXPIRE_BUSY;
}
