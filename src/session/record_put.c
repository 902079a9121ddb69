/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "session/record_put.h"

#include "base/clock.h"
#include "core/conf.h"
#include "session/session_int.h"
#include "store/feed.h"
#include "store/record.h"

#include <string.h>

/* An id's number never changes: avoid dirtying its page again. */
static void write_id(
    struct store_txn *t, struct store_span id, struct store_span number)
{
	struct store_span old;
	if (!store_get(t, TABLE_IDS, id.data, id.len, &old))
		store_put(
		    t, TABLE_IDS, id.data, id.len, number.data, number.len);
}

void record_put_id(struct commit *c, const struct session *s)
{
	struct store_key key = store_key1(s->number);
	struct commit_put *p = journal_put(c, TABLE_IDS, s->id, strlen(s->id));
	buf_append(&p->value, key.bytes, 8);
	p->write = write_id;
}

struct commit_put *record_put(
    struct commit *c, const struct session *s, const struct record *r)
{
	struct store_key key = store_key1(s->number);
	struct commit_put *p = journal_put(c, TABLE_SESSIONS, key.bytes, 8);
	record_encode(&p->value, r);
	if (feed_is_wanted(s->all->setup.conf))
		p->write = feed_write;
	return p;
}

static bool is_there(struct store_txn *t, struct store_span key)
{
	struct store_span old;
	return store_look(t, TABLE_SESSIONS, key.data, key.len, &old) !=
	       STORE_NONE;
}

static void add(
    struct store_txn *t, struct store_span key, struct store_span record)
{
	if (!is_there(t, key))
		store_put(t, TABLE_SESSIONS, key.data, key.len, record.data,
		    record.len);
}

static void add_and_feed(
    struct store_txn *t, struct store_span key, struct store_span record)
{
	if (!is_there(t, key))
		feed_write(t, key, record);
}

void record_put_idle(struct commit *c, const struct session *s,
    const char *caller, bool may_replace)
{
	const char *owner = session_is_nobodys(s) ? "" : caller;
	int64_t now = clock_wall_ms();
	struct record r = {
	    .number = s->number,
	    .status = RECORD_CONNECTED,
	    .created_ms = now,
	    .expires_ms = now + s->all->setup.conf->result_ttl * 1000,
	    .updated_ms = now,
	    .duration_ms = -1,
	    .id = {s->id, strlen(s->id)},
	    .caller = {owner, strlen(owner)},
	    .prompt = {"", 0},
	};
	struct commit_put *p = record_put(c, s, &r);
	if (!may_replace)
		p->write = p->write ? add_and_feed : add;
}

/* Keep the row of an id that belongs to another session. */
static void remove_id(
    struct store_txn *t, uint64_t number, const char *id, size_t len)
{
	struct store_span row;
	if (store_get(t, TABLE_IDS, id, len, &row) && row.len == 8 &&
	    store_number(row.data) == number)
		store_delete(t, TABLE_IDS, id, len);
}

void record_remove(
    struct store_txn *t, uint64_t number, const char *id, size_t id_len)
{
	struct store_key key = store_key1(number);
	store_delete(t, TABLE_SESSIONS, key.bytes, 8);
	store_delete(t, TABLE_TALKS, key.bytes, 8);
	store_delete(t, TABLE_TITLES, key.bytes, 8);
	remove_id(t, number, id, id_len);
}
