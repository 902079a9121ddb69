/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* Rows inside a transaction: reading, writing, iterating over a table. */
#include "base/buf.h"
#include "core/pulse.h"
#include "store/store_int.h"

#include <string.h>

enum store_found store_look(struct store_txn *t, enum store_table table,
    const void *key, size_t key_len, struct store_span *value)
{
	*value = (struct store_span){NULL, 0};
	if (t->rc)
		return STORE_NONE;
	pulse_step();
	MDB_val k = {key_len, (void *)(uintptr_t)key}, v;
	int rc = mdb_get(t->handle, t->store->tables[table], &k, &v);
	if (rc && rc != MDB_NOTFOUND)
		t->rc = rc;
	if (rc)
		return STORE_NONE;
	return store_row_view(table, &k, &v, value) ? STORE_FOUND
						    : STORE_DAMAGED;
}

bool store_get(struct store_txn *t, enum store_table table, const void *key,
    size_t key_len, struct store_span *value)
{
	return store_look(t, table, key, key_len, value) == STORE_FOUND;
}

void store_put(struct store_txn *t, enum store_table table, const void *key,
    size_t key_len, const void *value, size_t len)
{
	if (t->rc)
		return;
	pulse_step();
	struct store_row row = {
	    table, {key_len, (void *)(uintptr_t)key}, value, len, 0};
	t->rc = store_row_put(t->handle, t->store->tables[table], &row);
}

enum store_found store_add(struct store_txn *t, enum store_table table,
    struct store_span key, struct store_span value, struct store_span *existing)
{
	*existing = (struct store_span){NULL, 0};
	if (t->rc)
		return STORE_NONE;
	pulse_step();
	struct store_row row = {table, {key.len, (void *)(uintptr_t)key.data},
	    value.data, value.len, MDB_NOOVERWRITE};
	t->rc = store_row_put(t->handle, t->store->tables[table], &row);
	if (t->rc != MDB_KEYEXIST)
		return STORE_NONE;
	t->rc = 0;
	return store_look(t, table, key.data, key.len, existing);
}

/* Returns the number after the last one in a table. */
static struct store_key next_key(struct store_txn *t, enum store_table table)
{
	MDB_cursor *c;
	MDB_val k, v;
	struct store_key next = store_key1(1);
	t->rc = mdb_cursor_open(t->handle, t->store->tables[table], &c);
	if (t->rc)
		return next;
	t->rc = mdb_cursor_get(c, &k, &v, MDB_LAST);
	if (!t->rc && k.mv_size == 8)
		next = store_key1(store_number(k.mv_data) + 1);
	if (t->rc == MDB_NOTFOUND)
		t->rc = 0;
	mdb_cursor_close(c);
	return next;
}

void store_append(
    struct store_txn *t, enum store_table table, const void *value, size_t len)
{
	if (t->rc)
		return;
	struct store_key key = next_key(t, table);
	struct store_row row = {table, {8, key.bytes}, value, len, MDB_APPEND};
	if (!t->rc)
		t->rc = store_row_put(t->handle, t->store->tables[table], &row);
}

void store_delete(struct store_txn *t, enum store_table table, const void *key,
    size_t key_len)
{
	if (t->rc)
		return;
	MDB_val k = {key_len, (void *)(uintptr_t)key};
	int rc = mdb_del(t->handle, t->store->tables[table], &k, NULL);
	if (rc != MDB_NOTFOUND)
		t->rc = rc;
}

typedef bool each_fn(struct store_span, struct store_span, void *);

/* An iteration over a table. */
struct walk {
	struct store_txn *txn;
	enum store_table table;
	MDB_cursor *cursor;
	MDB_val key;
	each_fn *fn;
	void *arg;
};

static bool begin_walk(struct walk *w)
{
	struct store_txn *t = w->txn;
	if (!t->rc)
		t->rc = mdb_cursor_open(
		    t->handle, t->store->tables[w->table], &w->cursor);
	return t->rc == 0;
}

/* Iterate from the cursor's position; rc says whether it has one. */
static void store_walk(struct walk *w, int rc, MDB_val v, MDB_cursor_op step)
{
	MDB_val *k = &w->key;
	while (!rc) {
		struct store_span key = {k->mv_data, k->mv_size}, value;
		pulse_step();
		(void)store_row_view(w->table, k, &v, &value);
		if (!w->fn(key, value, w->arg))
			break;
		rc = mdb_cursor_get(w->cursor, k, &v, step);
	}
	if (rc && rc != MDB_NOTFOUND)
		w->txn->rc = rc;
	mdb_cursor_close(w->cursor);
}

void store_each(struct store_txn *t, enum store_table table, const void *key,
    size_t key_len, each_fn *fn, void *arg)
{
	struct walk w = {
	    t, table, NULL, {key_len, (void *)(uintptr_t)key}, fn, arg};
	MDB_val v;
	if (!begin_walk(&w))
		return;
	int rc = mdb_cursor_get(
	    w.cursor, &w.key, &v, key ? MDB_SET_RANGE : MDB_FIRST);
	store_walk(&w, rc, v, MDB_NEXT);
}

static int seek_back(MDB_cursor *c, MDB_val *k, MDB_val *v)
{
	MDB_val want = *k;
	if (!want.mv_data)
		return mdb_cursor_get(c, k, v, MDB_LAST);
	int rc = mdb_cursor_get(c, k, v, MDB_SET_RANGE);
	if (rc == MDB_NOTFOUND)
		return mdb_cursor_get(c, k, v, MDB_LAST);
	if (rc || (k->mv_size == want.mv_size &&
		      memcmp(k->mv_data, want.mv_data, want.mv_size) == 0))
		return rc;
	return mdb_cursor_get(c, k, v, MDB_PREV);
}

void store_each_back(struct store_txn *t, enum store_table table,
    const void *key, size_t key_len, each_fn *fn, void *arg)
{
	struct walk w = {
	    t, table, NULL, {key_len, (void *)(uintptr_t)key}, fn, arg};
	MDB_val v;
	if (!begin_walk(&w))
		return;
	int rc = seek_back(w.cursor, &w.key, &v);
	store_walk(&w, rc, v, MDB_PREV);
}

uint64_t store_delete_events(
    struct store_txn *t, uint64_t number, uint64_t first, uint64_t last)
{
	MDB_cursor *c;
	uint64_t bytes = 0;
	struct store_key from = store_key2(number, first);
	struct store_key to = store_key2(number, last);
	if (t->rc)
		return 0;
	t->rc = mdb_cursor_open(t->handle, t->store->tables[TABLE_EVENTS], &c);
	if (t->rc)
		return 0;
	MDB_val k = {16, from.bytes}, v;
	int rc = mdb_cursor_get(c, &k, &v, MDB_SET_RANGE);
	while (!rc && k.mv_size == 16 && memcmp(k.mv_data, to.bytes, 16) <= 0) {
		bytes += store_row_len(&v);
		rc = mdb_cursor_del(c, 0);
		if (!rc)
			rc = mdb_cursor_get(c, &k, &v, MDB_NEXT);
	}
	if (rc && rc != MDB_NOTFOUND)
		t->rc = rc;
	mdb_cursor_close(c);
	return bytes;
}

void store_check_readers(struct store *s)
{
	for (int i = 0; i < STORE_N_PARTS; i++) {
		int dead = 0;
		if (s->parts[i].env)
			(void)mdb_reader_check(s->parts[i].env, &dead);
	}
}

void store_metrics(struct store *s, struct buf *out)
{
	buf_str(out,
	    "# HELP cohostd_store_used_bytes bytes of the file in use\n"
	    "# TYPE cohostd_store_used_bytes gauge\n");
	for (int i = 0; i < STORE_N_PARTS; i++) {
		MDB_envinfo info;
		MDB_stat st;
		if (!s->parts[i].env || mdb_env_info(s->parts[i].env, &info) ||
		    mdb_env_stat(s->parts[i].env, &st))
			continue;
		buf_printf(out, "cohostd_store_used_bytes{file=\"%s\"} %zu\n",
		    store_file_name(i), (info.me_last_pgno + 1) * st.ms_psize);
	}
}
