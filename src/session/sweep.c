/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
/* What the keeper does for what is stored: its part of sessions.h. */
#include "session/all.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/stat.h"
#include "session/record.h"

/* Rows looked at in one step of the sweep. */
#define SWEEP_STEP 500

static bool is_alive(const struct record *r)
{
	return r->status == RECORD_RUNNING || r->expires_ms > clock_expiry_ms();
}

struct recovery {
	struct list found;
	int count;
};

struct unfinished {
	struct list link;
	struct registry_seed seed;
	uint8_t key[REGISTRY_KEY];
};

static bool find_running(
    struct store_span key, struct store_span value, void *arg)
{
	struct recovery *rec = arg;
	struct record r;
	(void)key;
	if (!record_decode(&r, value) || r.status != RECORD_RUNNING)
		return true;
	struct unfinished *u = mem_zero(sizeof *u);
	u->seed = (struct registry_seed){
	    .number = r.number, .turn = r.turn, .is_running = true};
	session_key(u->key, r.id.data, r.id.len);
	session_caller_key(u->seed.caller, r.caller.data, r.caller.len);
	list_append(&rec->found, &u->link);
	return true;
}

static void register_unfinished(
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
	if (registry_add(registry, u->key, UINT32_MAX, &u->seed) ==
	    REGISTRY_NONE)
		log_error("keeper: max_sessions is too small for the turns "
			  "to take up again");
}

int sessions_recover(
    struct store *store, struct registry *registry, struct err *err)
{
	struct recovery rec = {.count = 0};
	struct store_txn t;
	struct list *l;
	list_init(&rec.found);
	store_read(store, &t, STORE_FACTS);
	store_each(&t, TABLE_SESSIONS, NULL, 0, find_running, &rec);
	int rc = store_read_end(&t, err);
	while ((l = list_shift(&rec.found))) {
		struct unfinished *u = list_entry(l, struct unfinished, link);
		if (rc == 0)
			register_unfinished(store, registry, u);
		free(u);
		rec.count++;
	}
	return rc == 0 ? rec.count : -1;
}

static bool first_key(struct store_span key, struct store_span value, void *arg)
{
	(void)value;
	*(uint64_t *)arg = store_number(key.data);
	return false;
}

static uint64_t last_number(
    struct store *store, enum store_part part, enum store_table table)
{
	struct store_txn t;
	struct err err;
	uint64_t number = 0;
	store_read(store, &t, part);
	store_each_back(&t, table, NULL, 0, first_key, &number);
	if (store_read_end(&t, &err) != 0)
		log_error("%s", err.text);
	return number;
}

uint64_t sessions_next_number(struct store *store)
{
	uint64_t facts = last_number(store, STORE_FACTS, TABLE_SESSIONS);
	uint64_t events = last_number(store, STORE_JOURNAL, TABLE_JOURNALS);
	return (facts > events ? facts : events) + 1;
}

struct sweep {
	struct store_txn txn;
	struct registry *registry;
	unsigned left;
	uint64_t next; /* where to go on; 0: at the end */
	struct list expired;
	struct list unnamed; /* sessions whose id has a damaged row */
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
	if (!is_alive(&r) &&
	    registry_look(s->registry, session) == REGISTRY_NONE)
		note(&s->expired, &r);
	return true;
}

/* The record names its session, so the way to it can be mended. */
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
		log_info("session=%.*s: the row of its id is mended",
		    (int)e->id_len, e->id);
		free(e);
	}
	if (store_commit(&t, &err) != 0)
		log_error("%s", err.text);
}

/* An id whose row is of another session stays. */
static void delete_id(struct store_txn *t, const struct expired *e)
{
	struct store_span row;
	if (store_get(t, TABLE_IDS, e->id, e->id_len, &row) && row.len == 8 &&
	    store_number(row.data) == e->number)
		store_delete(t, TABLE_IDS, e->id, e->id_len);
}

static bool is_waiting(
    struct store_span key, struct store_span value, void *arg)
{
	uint64_t *number = arg;
	(void)value;
	if (key.len == 16 && store_number(key.data) == *number)
		*number = 0;
	return false;
}

/* Whether an input waits for a turn of this session. */
static bool has_waiting(struct store_txn *t, uint64_t number)
{
	struct store_key key = store_key2(number, 0);
	store_each(t, TABLE_WAITING, key.bytes, 16, is_waiting, &number);
	return !number;
}

/* A turn may have begun since we looked: look again inside the transaction. */
static bool delete_facts(struct store_txn *t, const struct expired *e)
{
	struct store_key key = store_key1(e->number);
	struct store_span row;
	struct record r;
	if (store_get(t, TABLE_SESSIONS, key.bytes, 8, &row) &&
	    record_decode(&r, row) && is_alive(&r))
		return false;
	if (has_waiting(t, e->number))
		return false;
	store_delete(t, TABLE_SESSIONS, key.bytes, 8);
	store_delete(t, TABLE_TALKS, key.bytes, 8);
	delete_id(t, e);
	return true;
}

static void delete_events(struct store_txn *t, uint64_t number)
{
	struct store_key key = store_key1(number);
	(void)store_delete_events(t, number, 0, UINT64_MAX);
	store_delete(t, TABLE_JOURNALS, key.bytes, 8);
}

static void delete_expired(struct store *store, struct list *expired)
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
}

struct old_claims {
	unsigned left;
	unsigned n;
	uint8_t keys[SWEEP_STEP][16];
};

static bool sweep_claim(
    struct store_span key, struct store_span value, void *arg)
{
	struct old_claims *old = arg;
	struct claim c;
	if (!old->left--)
		return false;
	if (key.len == 16 && record_decode_claim(&c, value) &&
	    c.expires_ms < clock_expiry_ms())
		memcpy(old->keys[old->n++], key.data, 16);
	return true;
}

/* Claims are keyed by digest: any place to start is as good as another. */
static void expire_claims(struct store *store, uint64_t from)
{
	struct old_claims *old = mem_zero(sizeof *old);
	struct store_key key = store_key2(from * 0x9e3779b97f4a7c15ull, 0);
	struct store_txn t;
	struct err err;
	old->left = SWEEP_STEP;
	store_read(store, &t, STORE_FACTS);
	store_each(&t, TABLE_CLAIMS, key.bytes, 16, sweep_claim, old);
	(void)store_read_end(&t, &err);
	if (old->n) {
		store_write(store, &t, STORE_FACTS);
		for (unsigned i = 0; i < old->n; i++)
			store_delete(&t, TABLE_CLAIMS, old->keys[i], 16);
		if (store_commit(&t, &err) != 0)
			log_error("%s", err.text);
	}
	free(old);
}

void sessions_expire(
    struct store *store, struct registry *registry, uint64_t *cursor)
{
	struct sweep s = {.registry = registry, .left = SWEEP_STEP};
	struct store_key key = store_key1(*cursor);
	struct err err;
	list_init(&s.expired);
	list_init(&s.unnamed);
	store_read(store, &s.txn, STORE_FACTS);
	store_each(&s.txn, TABLE_SESSIONS, key.bytes, 8, sweep_one, &s);
	if (store_read_end(&s.txn, &err) != 0)
		log_error("%s", err.text);
	*cursor = s.next;
	if (!list_is_empty(&s.unnamed))
		mend_ids(store, &s.unnamed);
	if (!list_is_empty(&s.expired))
		delete_expired(store, &s.expired);
	expire_claims(store, (uint64_t)clock_mono_us());
}
