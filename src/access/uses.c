/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "access/uses.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/err.h"
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

/* The number of claims examined in one step of uses_expire(). */
#define EXPIRE_STEP 1000

/* With at least this many removed, there may be more. */
#define EXPIRE_BUSY 50

struct uses {
	struct store *store;
};

/* The row of a claim. */
struct row {
	int64_t until_ms;
	int64_t claimed_ms;
	uint64_t peer;
	uint64_t has_grace;
};

/* ---- claims ---- */

static bool is_graced(const struct row *old, const struct use *use, int64_t now)
{
	return old->has_grace && use->has_grace && old->peer == use->peer &&
	       now - old->claimed_ms <= USES_GRACE_MS;
}

static void uses_claim_one(struct store_txn *t, struct use *use)
{
	struct store_span found;
	struct row old;
	int64_t now = clock_expiry_ms();
	enum store_found is_there =
	    store_look(t, TABLE_USED, use->digest, sizeof use->digest, &found);
	if (is_there == STORE_DAMAGED) {
		use->result = USE_REPEATED; /* certain, whatever follows */
		return;
	}
	if (is_there == STORE_FOUND && found.len == sizeof old) {
		memcpy(&old, found.data, sizeof old);
		if (old.until_ms >= now) {
			if (!is_graced(&old, use, now))
				use->result = USE_REPEATED;
			return;
		}
	}
	struct row mine = {.until_ms = use->until_ms,
	    .claimed_ms = now,
	    .peer = use->peer,
	    .has_grace = use->has_grace};
	store_put(
	    t, TABLE_USED, use->digest, sizeof use->digest, &mine, sizeof mine);
}

void uses_claim(struct uses *u, struct use *const *all, size_t n)
{
	struct store_txn t;
	struct err err;
	store_write(u->store, &t, STORE_FACTS);
	for (size_t i = 0; i < n; i++) {
		all[i]->result = USE_GRANTED;
		uses_claim_one(&t, all[i]);
	}
	if (store_commit(&t, &err) == 0)
		return;
	log_error("gate: signatures are refused: %s", err.text);
	for (size_t i = 0; i < n; i++)
		if (all[i]->result == USE_GRANTED)
			all[i]->result = USE_FAILED;
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

struct old_uses {
	unsigned left;
	unsigned n;
	uint64_t next;
	uint8_t keys[EXPIRE_STEP][32];
};

static bool look_at(struct store_span key, struct store_span value, void *arg)
{
	struct old_uses *old = arg;
	struct row row;
	old->next = store_number(key.data);
	if (!old->left--)
		return false;
	old->next = 0;
	if (key.len != 32 || value.len != sizeof row)
		return true;
	memcpy(&row, value.data, sizeof row);
	if (row.until_ms < clock_expiry_ms())
		memcpy(old->keys[old->n++], key.data, 32);
	return true;
}

bool uses_expire(struct store *store, uint64_t *cursor)
{
	struct old_uses *old = mem_zero(sizeof *old);
	struct store_key key = store_key1(*cursor);
	struct store_txn t;
	struct err err;
	old->left = EXPIRE_STEP;
	store_read(store, &t, STORE_FACTS);
	store_each(&t, TABLE_USED, key.bytes, 8, look_at, old);
	(void)store_read_end(&t, &err); /* the next round tries again */
	*cursor = old->next;
	if (old->n) {
		store_write(store, &t, STORE_FACTS);
		for (unsigned i = 0; i < old->n; i++)
			store_delete(&t, TABLE_USED, old->keys[i], 32);
		if (store_commit(&t, &err) != 0) {
			log_error("%s", err.text);
			old->n = 0;
		}
	}
	bool is_busy = old->n >= EXPIRE_BUSY;
	free(old);
	return is_busy;
}
