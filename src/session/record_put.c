/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "session/record_put.h"

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

void record_put(
    struct commit *c, const struct session *s, const struct record *r)
{
	struct store_key key = store_key1(s->number);
	struct commit_put *p = journal_put(c, TABLE_SESSIONS, key.bytes, 8);
	record_encode(&p->value, r);
	if (feed_is_wanted(s->all->setup.conf))
		p->write = feed_write;
}
