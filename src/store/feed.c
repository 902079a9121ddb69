/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "store/feed.h"

#include "base/buf.h"
#include "base/log.h"
#include "core/conf.h"
#include "core/err.h"

/* A row of up to this size is stored complete. */
#define PLAIN_ROW 8192

static void drop_long(struct store_span *s)
{
	if (s->len > FEED_TEXT)
		*s = (struct store_span){NULL, 0};
}

/* What is needed only to run the turn again is left out. */
static void shorten(struct buf *out, const struct record *r)
{
	struct record row = *r;
	drop_long(&row.prompt);
	drop_long(&row.result);
	row.extra = (struct store_span){NULL, 0};
	record_encode(out, &row);
}

bool feed_is_wanted(const struct conf *conf)
{
	return conf->session_results || conf->evals;
}

void feed_write(
    struct store_txn *t, struct store_span key, struct store_span record)
{
	struct buf row = {0};
	struct record r;
	store_put(
	    t, TABLE_SESSIONS, key.data, key.len, record.data, record.len);
	if (record.len <= PLAIN_ROW) {
		store_append(t, TABLE_FEED, record.data, record.len);
		return;
	}
	if (!record_decode(&r, record))
		panic("feed: a record that is not one");
	shorten(&row, &r);
	store_append(t, TABLE_FEED, row.data, row.len);
	buf_fini(&row);
}

struct reading {
	struct store_txn txn;
	uint64_t last;
	bool (*fn)(const struct feed_row *, void *);
	void *arg;
};

/* Restore the texts for which the row had no room. */
static void complete(struct reading *r, struct feed_row *row)
{
	struct store_key key = store_key1(row->record.number);
	struct store_span value;
	struct record now;
	if (!store_get(&r->txn, TABLE_SESSIONS, key.bytes, 8, &value) ||
	    !record_decode(&now, value) || now.turn != row->record.turn)
		return;
	row->record.prompt = now.prompt;
	if (now.status != row->record.status)
		return;
	row->record.result = now.result;
	if (!store_get(&r->txn, TABLE_TALKS, key.bytes, 8, &row->talk))
		row->talk = (struct store_span){NULL, 0};
}

static bool read_one(struct store_span key, struct store_span value, void *arg)
{
	struct reading *r = arg;
	struct feed_row row = {.talk = {NULL, 0}};
	if (key.len != 8)
		return true;
	r->last = row.key = store_number(key.data);
	if (!record_decode(&row.record, value))
		return true;
	complete(r, &row);
	return r->fn(&row, r->arg);
}

uint64_t feed_read(struct store *s, uint64_t after,
    bool (*fn)(const struct feed_row *, void *), void *arg)
{
	struct reading r = {.last = after, .fn = fn, .arg = arg};
	struct store_key key = store_key1(after + 1);
	struct err err;
	store_read(s, &r.txn, STORE_FACTS);
	store_each(&r.txn, TABLE_FEED, key.bytes, 8, read_one, &r);
	if (store_read_end(&r.txn, &err) != 0)
		log_error("%s", err.text);
	return r.last;
}

static bool note_key(struct store_span key, struct store_span value, void *arg)
{
	(void)value;
	*(uint64_t *)arg = key.len == 8 ? store_number(key.data) : 0;
	return false;
}

uint64_t feed_last(struct store *s)
{
	struct store_txn t;
	struct err err;
	uint64_t last = 0;
	store_read(s, &t, STORE_FACTS);
	store_each_back(&t, TABLE_FEED, NULL, 0, note_key, &last);
	if (store_read_end(&t, &err) != 0)
		log_error("%s", err.text);
	return last;
}

int feed_drop(struct store *s, uint64_t first, uint64_t last, struct err *err)
{
	struct store_txn t;
	store_write(s, &t, STORE_FACTS);
	for (uint64_t n = first; n <= last; n++) {
		struct store_key key = store_key1(n);
		store_delete(&t, TABLE_FEED, key.bytes, 8);
	}
	return store_commit(&t, err);
}
