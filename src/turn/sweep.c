/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
/* The keeper's maintenance of the store: its part of sessions.h. */
#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/stat.h"
#include "session/draft.h"
#include "session/record_put.h"
#include "session/session_int.h"
#include "session/waiting.h"
#include "store/record.h"

#include <stdlib.h>
#include <string.h>

/* Rows of each table examined in one step of the sweep. */
#define SWEEP_STEP 1000

/*
 * With at least this many removed, there may be more, and the next step is due.
 */
#define SWEEP_BUSY 50

static bool is_alive(const struct record *r)
{
	return r->status == RECORD_RUNNING || r->expires_ms > clock_expiry_ms();
}

struct unfinished {
	struct list link;
	struct registry_seed seed;
	uint8_t key[REGISTRY_KEY];
};

static void note_unfinished(struct list *list, const struct record *r)
{
	struct unfinished *u = mem_zero(sizeof *u);
	u->seed = (struct registry_seed){
	    .number = r->number, .turn = r->turn, .is_running = true};
	session_key(u->key, r->id.data, r->id.len);
	session_caller_key(u->seed.caller, r->caller.data, r->caller.len);
	list_append(list, &u->link);
}

static bool find_running(
    struct store_span key, struct store_span value, void *arg)
{
	struct record r;
	(void)key;
	if (record_decode(&r, value) && r.status == RECORD_RUNNING)
		note_unfinished(arg, &r);
	return true;
}

/* Returns whether there was room for it. */
static bool register_unfinished(
    struct store *store, struct registry *registry, struct unfinished *u)
{
	struct store_txn t;
	struct journal_meta meta;
	struct err err;
	store_read(store, &t, STORE_JOURNAL);
	(void)journal_meta(&t, u->seed.number, &meta);
	journal_seed(&u->seed, &meta);
	if (store_read_end(&t, &err) != 0)
		log_error("%s", err.text);
	return registry_orphan(registry, u->key, &u->seed);
}

/* Empties the list. Returns how many turns were given to the workers. */
static int register_all(
    struct store *store, struct registry *registry, struct list *found)
{
	struct list *l;
	int n = 0, n_left = 0;
	while ((l = list_shift(found))) {
		struct unfinished *u = list_entry(l, struct unfinished, link);
		bool is_in = register_unfinished(store, registry, u);
		n += is_in;
		n_left += !is_in;
		free(u);
	}
	if (n_left)
		log_warn("keeper: %d unfinished turns wait for room in the "
			 "registry (max_sessions)",
		    n_left);
	return n;
}

int sessions_recover(
    struct store *store, struct registry *registry, struct err *err)
{
	struct list found;
	struct store_txn t;
	list_init(&found);
	store_read(store, &t, STORE_FACTS);
	store_each(&t, TABLE_SESSIONS, NULL, 0, find_running, &found);
	int rc = store_read_end(&t, err);
	int n = register_all(store, registry, &found);
	return rc == 0 ? n : -1;
}

struct sweep {
	struct store_txn txn;
	struct registry *registry;
	unsigned left;
	uint64_t next; /* where to continue; 0: finished */
	struct list expired;
	struct list unnamed; /* sessions with a damaged row for their id */
	struct list running; /* turns missing from the registry */
	unsigned n_expired;
};

struct expired { /* or unnamed */
	struct list link;
	uint64_t number;
	size_t id_len;
	char id[];
};

static void note(struct list *list, const struct record *r)
{
	struct expired *e = mem_zero(sizeof *e + r->id.len);
	e->number = r->number;
	e->id_len = r->id.len;
	memcpy(e->id, r->id.data, r->id.len);
	list_append(list, &e->link);
}

static bool is_unnamed(struct sweep *s, const struct record *r)
{
	struct store_span row;
	return store_look(&s->txn, TABLE_IDS, r->id.data, r->id.len, &row) ==
	       STORE_DAMAGED;
}

static bool sweep_one(struct store_span key, struct store_span value, void *arg)
{
	struct sweep *s = arg;
	struct record r;
	s->next = store_number(key.data);
	if (!s->left--)
		return false;
	s->next = 0;
	if (!record_decode(&r, value))
		return true;
	if (is_unnamed(s, &r))
		note(&s->unnamed, &r);
	uint8_t session[REGISTRY_KEY];
	session_key(session, r.id.data, r.id.len);
	if (r.status == RECORD_RUNNING) {
		if (!registry_knows(s->registry, session, r.turn))
			note_unfinished(&s->running, &r);
	} else if (!is_alive(&r) &&
		   registry_look(s->registry, session) == REGISTRY_NONE) {
		note(&s->expired, &r);
		s->n_expired++;
	}
	return true;
}

/*
 * The turn may have ended since the sweep's snapshot of the store. The end is
 * written to the store before the registry, so it would be visible now.
 */
static bool still_runs(struct store *store, const struct unfinished *u)
{
	struct store_key key = store_key1(u->seed.number);
	struct store_txn t;
	struct store_span row;
	struct record r;
	struct err err;
	store_read(store, &t, STORE_FACTS);
	bool runs = store_get(&t, TABLE_SESSIONS, key.bytes, 8, &row) &&
		    record_decode(&r, row) && r.status == RECORD_RUNNING &&
		    r.turn == u->seed.turn;
	return store_read_end(&t, &err) == 0 && runs;
}

/* Workers find entries without an owner in the registry. */
static void take_up(
    struct store *store, struct registry *registry, struct list *running)
{
	list_each_safe(it, running)
	{
		struct unfinished *u = list_entry(it, struct unfinished, link);
		if (!still_runs(store, u)) {
			list_remove(&u->link);
			free(u);
		}
	}
	int n = register_all(store, registry, running);
	if (n)
		log_info("keeper: %d unfinished turns to be taken over", n);
}

/*
 * The record contains the session's id, so the row for the id can be repaired.
 */
static void mend_ids(struct store *store, struct list *unnamed)
{
	struct store_txn t;
	struct list *l;
	struct err err;
	store_write(store, &t, STORE_FACTS);
	while ((l = list_shift(unnamed))) {
		struct expired *e = list_entry(l, struct expired, link);
		struct store_key number = store_key1(e->number);
		struct store_span row;
		if (store_look(&t, TABLE_IDS, e->id, e->id_len, &row) ==
		    STORE_DAMAGED)
			store_put(
			    &t, TABLE_IDS, e->id, e->id_len, number.bytes, 8);
		log_info("session=%.*s: repaired the row of its id",
		    (int)e->id_len, e->id);
		free(e);
	}
	if (store_commit(&t, &err) != 0)
		log_error("%s", err.text);
}

/*
 * A turn may have begun since the row was read: check again inside the
 * transaction.
 */
static bool delete_facts(struct store_txn *t, const struct expired *e)
{
	struct store_key key = store_key1(e->number);
	struct store_span row;
	struct record r;
	if (store_get(t, TABLE_SESSIONS, key.bytes, 8, &row) &&
	    record_decode(&r, row) && is_alive(&r))
		return false;
	if (waiting_is_any(t, e->number))
		return false;
	draft_delete(t, e->number, UINT64_MAX);
	record_remove(t, e->number, e->id, e->id_len);
	return true;
}

static void delete_events(struct store_txn *t, uint64_t number)
{
	struct store_key key = store_key1(number);
	(void)store_delete_events(t, number, 0, UINT64_MAX);
	store_delete(t, TABLE_JOURNALS, key.bytes, 8);
}

/* Returns whether they were deleted. */
static bool delete_expired(struct store *store, struct list *expired)
{
	struct store_txn facts, events;
	struct err err;
	struct list *l;
	store_write(store, &facts, STORE_FACTS);
	list_each_safe(it, expired)
	{
		struct expired *e = list_entry(it, struct expired, link);
		if (!delete_facts(&facts, e)) {
			list_remove(&e->link);
			free(e);
		}
	}
	int rc = store_commit(&facts, &err);
	if (rc != 0)
		log_error("%s", err.text);
	store_write(store, &events, STORE_JOURNAL);
	while ((l = list_shift(expired))) {
		struct expired *e = list_entry(l, struct expired, link);
		if (rc == 0)
			delete_events(&events, e->number);
		stat_add(expired, rc == 0);
		free(e);
	}
	if (store_commit(&events, &err) != 0)
		log_error("%s", err.text);
	return rc == 0;
}

struct old_claims {
	unsigned left;
	unsigned n;
	uint64_t next; /* where to continue; 0: finished */
	uint8_t keys[SWEEP_STEP][16];
};

static bool is_past(const struct claim *c)
{
	return c->expires_ms < clock_expiry_ms();
}

static bool sweep_claim(
    struct store_span key, struct store_span value, void *arg)
{
	struct old_claims *old = arg;
	struct claim c;
	old->next = store_number(key.data);
	if (!old->left--)
		return false;
	old->next = 0;
	if (key.len == 16 && record_decode_claim(&c, value) && is_past(&c))
		memcpy(old->keys[old->n++], key.data, 16);
	return true;
}

/* Whether the input of a claim is running, or may still run. */
static bool is_unfinished(struct store_txn *t, const struct claim *c)
{
	struct store_key key = store_key1(c->number);
	struct store_span row;
	struct record r;
	if (c->status != RECORD_RUNNING)
		return false;
	return waiting_is_any(t, c->number) ||
	       (store_get(t, TABLE_SESSIONS, key.bytes, 8, &row) &&
		   record_decode(&r, row) && r.status == RECORD_RUNNING &&
		   r.turn == c->turn);
}

/*
 * The name may have been used again since the row was read. Returns whether the
 * claim was deleted.
 */
static bool delete_claim(struct store_txn *t, const uint8_t key[16])
{
	struct store_span row;
	struct claim c;
	if (!store_get(t, TABLE_CLAIMS, key, 16, &row) ||
	    !record_decode_claim(&c, row) || !is_past(&c) ||
	    is_unfinished(t, &c))
		return false;
	store_delete(t, TABLE_CLAIMS, key, 16);
	return true;
}

static unsigned delete_claims(struct store *store, const struct old_claims *old)
{
	struct store_txn t;
	struct err err;
	unsigned n = 0;
	store_write(store, &t, STORE_FACTS);
	for (unsigned i = 0; i < old->n; i++)
		n += delete_claim(&t, old->keys[i]);
	if (store_commit(&t, &err) == 0)
		return n;
	log_error("%s", err.text);
	return 0;
}

/* Returns how many were deleted. */
static unsigned expire_claims(struct store *store, uint64_t *cursor)
{
	struct old_claims *old = mem_zero(sizeof *old);
	struct store_key key = store_key1(*cursor);
	struct store_txn t;
	struct err err;
	old->left = SWEEP_STEP;
	store_read(store, &t, STORE_FACTS);
	store_each(&t, TABLE_CLAIMS, key.bytes, 8, sweep_claim, old);
	(void)store_read_end(&t, &err); /* the next step tries again */
	*cursor = old->next;
	unsigned n = old->n ? delete_claims(store, old) : 0;
	free(old);
	return n;
}

static unsigned expire_sessions(
    struct store *store, struct registry *registry, uint64_t *cursor)
{
	struct sweep s = {.registry = registry, .left = SWEEP_STEP};
	struct store_key key = store_key1(*cursor);
	struct err err;
	list_init(&s.expired);
	list_init(&s.unnamed);
	list_init(&s.running);
	store_read(store, &s.txn, STORE_FACTS);
	store_each(&s.txn, TABLE_SESSIONS, key.bytes, 8, sweep_one, &s);
	if (store_read_end(&s.txn, &err) != 0)
		log_error("%s", err.text);
	*cursor = s.next;
	if (!list_is_empty(&s.unnamed))
		mend_ids(store, &s.unnamed);
	if (!list_is_empty(&s.running))
		take_up(store, registry, &s.running);
	if (!s.n_expired || !delete_expired(store, &s.expired))
		return 0;
	return s.n_expired;
}

bool sessions_sweep(
    struct store *store, struct registry *registry, struct sweep_place *at)
{
	unsigned n = expire_sessions(store, registry, &at->session);
	n += expire_claims(store, &at->claim);
	return n >= SWEEP_BUSY;
}
