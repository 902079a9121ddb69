/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "journal/journal_convert.h"

#include "base/log.h"
#include "journal/journal_int.h"

#include <string.h>

/* Events of so many bytes are held in memory at once. */
#define CHUNK ((size_t)1 << 20)

/* The sessions whose journal is to be converted. */
static bool note_old(struct store_span key, struct store_span value, void *arg)
{
	struct buf *numbers = arg;
	if (key.len != 8 || value.len != JOURNAL_META_OLD)
		return true;
	uint64_t number = store_number(key.data);
	buf_append(numbers, &number, sizeof number);
	return true;
}

/* Some events of a session, in the order of their positions. */
struct chunk {
	uint64_t number;
	uint64_t next;	 /* position to go on from */
	bool is_cut;	 /* there is more */
	struct buf rows; /* each preceded by struct row */
	struct journal_meta *meta;
};

struct row {
	uint64_t seq;
	size_t len;
};

static void add_row(struct chunk *c, uint64_t seq, struct event *ev)
{
	struct journal_meta *m = c->meta;
	struct row row = {.seq = seq};
	size_t at = c->rows.len;
	journal_number(m, ev);
	buf_append(&c->rows, &row, sizeof row);
	event_store(&c->rows, ev);
	row.len = c->rows.len - at - sizeof row;
	memcpy(c->rows.data + at, &row, sizeof row);
	m->bytes += row.len;
}

static bool gather(struct store_span key, struct store_span value, void *arg)
{
	struct chunk *c = arg;
	struct event ev;
	if (key.len != 16 || store_number(key.data) != c->number)
		return false;
	c->next = store_number((const char *)key.data + 8);
	c->is_cut = c->rows.len >= CHUNK;
	if (c->is_cut)
		return false;
	if (event_decode(&ev, value.data, value.len)) {
		add_row(c, c->next, &ev);
	} else {
		c->meta->n_views += VIEWS; /* whatever it had */
		c->meta->bytes += value.len;
	}
	return true;
}

static void write_rows(struct store_txn *t, struct chunk *c)
{
	for (size_t at = 0; at < c->rows.len;) {
		struct row row;
		memcpy(&row, c->rows.data + at, sizeof row);
		at += sizeof row;
		struct store_key key = store_key2(c->number, row.seq);
		store_put(
		    t, TABLE_EVENTS, key.bytes, 16, c->rows.data + at, row.len);
		at += row.len;
	}
	buf_reset(&c->rows);
}

static void convert_events(
    struct store_txn *t, uint64_t number, struct journal_meta *m)
{
	struct chunk c = {.number = number, .meta = m};
	do {
		struct store_key key = store_key2(number, c.next);
		c.is_cut = false;
		store_each(t, TABLE_EVENTS, key.bytes, 16, gather, &c);
		write_rows(t, &c);
	} while (c.is_cut && !t->rc);
	buf_fini(&c.rows);
}

static bool convert_session(struct store *s, uint64_t number)
{
	struct store_txn t;
	struct journal_meta m;
	struct err err;
	store_write(s, &t, STORE_JOURNAL);
	(void)journal_meta(&t, number, &m);
	m.bytes = 0;
	convert_events(&t, number, &m);
	struct store_key key = store_key1(number);
	store_put(&t, TABLE_JOURNALS, key.bytes, 8, &m, sizeof m);
	if (store_commit(&t, &err) == 0)
		return true;
	log_error("%s", err.text);
	return false;
}

void journal_convert(struct store *s)
{
	struct buf numbers = {0};
	struct store_txn t;
	struct err err;
	size_t n = 0;
	struct store_key first = store_key1(0);
	store_read(s, &t, STORE_JOURNAL);
	store_each(&t, TABLE_JOURNALS, first.bytes, 8, note_old, &numbers);
	if (store_read_end(&t, &err) != 0)
		log_error("%s", err.text);
	for (size_t at = 0; at < numbers.len; at += sizeof(uint64_t)) {
		uint64_t number;
		memcpy(&number, numbers.data + at, sizeof number);
		n += convert_session(s, number);
	}
	if (n)
		log_info("journal: numbered the events of %zu sessions", n);
	buf_fini(&numbers);
}
