/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "journal/journal.h"

#include "base/log.h"

#include <string.h>

struct rebuilding {
	uint64_t number;
	struct journal_meta meta;
};

static bool count_event(
    struct store_span key, struct store_span value, void *arg)
{
	struct rebuilding *r = arg;
	struct journal_meta *m = &r->meta;
	struct event ev;
	if (key.len != 16 || store_number(key.data) != r->number)
		return false;
	uint64_t seq = store_number((const char *)key.data + 8);
	if (!m->last)
		m->first = seq;
	m->last = seq;
	m->bytes += value.len;
	if (!event_decode(&ev, value.data, value.len)) {
		/* No number is given twice, whatever views it had. */
		m->n_views += VIEWS;
		return true;
	}
	(void)views_of(&ev, &m->memory);
	m->n_views = views_upto(&ev);
	if (ev.turn > m->turn) {
		m->turn = ev.turn;
		m->began = seq;
	}
	if (event_class(ev.type) == EVENT_TERMINAL)
		m->ended = ev.turn;
	return true;
}

/* The events contain all that the meta says. */
static void rebuild_meta(
    struct store_txn *t, uint64_t number, struct journal_meta *meta)
{
	struct rebuilding r = {number, {.first = 1}};
	struct store_key key = store_key2(number, 0);
	store_each(t, TABLE_EVENTS, key.bytes, 16, count_event, &r);
	*meta = r.meta;
}

bool journal_meta(
    struct store_txn *t, uint64_t number, struct journal_meta *meta)
{
	struct store_span v;
	struct store_key key = store_key1(number);
	*meta = (struct journal_meta){.first = 1};
	switch (store_look(t, TABLE_JOURNALS, key.bytes, 8, &v)) {
	case STORE_NONE:
		return false;
	case STORE_DAMAGED:
		rebuild_meta(t, number, meta);
		return true;
	case STORE_FOUND:
		break;
	}
	if (v.len != sizeof *meta && v.len != JOURNAL_META_OLD)
		return false;
	memcpy(meta, v.data, v.len);
	return true;
}

void journal_seed(struct registry_seed *seed, const struct journal_meta *meta)
{
	seed->head = meta->last;
	seed->ended = meta->ended;
	if (seed->turn < meta->turn)
		seed->turn = meta->turn;
	seed->began = seed->turn == meta->turn ? meta->began : meta->last + 1;
}

struct reading {
	uint64_t number;
	uint64_t *cursor;
	uint64_t upto;
	bool (*fn)(const struct event *, void *);
	void *arg;
	enum journal_read result;
};

static bool read_one(struct store_span key, struct store_span value, void *arg)
{
	struct reading *r = arg;
	if (key.len != 16 || store_number(key.data) != r->number)
		return false;
	uint64_t seq = store_number((const char *)key.data + 8);
	if (seq > r->upto)
		return false;
	if (seq != *r->cursor + 1) {
		*r->cursor = seq - 1;
		r->result = JOURNAL_GONE;
		return false;
	}
	struct event ev;
	if (!event_decode(&ev, value.data, value.len)) {
		/* Only this event is lost: the rest of the journal is sound. */
		log_error("journal: number=%llu seq=%llu is damaged",
		    (unsigned long long)r->number, (unsigned long long)seq);
		*r->cursor = seq;
		r->result = JOURNAL_GONE;
		return true;
	}
	if (r->result == JOURNAL_GONE)
		return false;
	*r->cursor = seq;
	ev.seq = seq;
	if (r->fn(&ev, r->arg))
		return true;
	r->result = JOURNAL_STOPPED;
	return false;
}

enum journal_read journal_read(struct store *s, uint64_t number,
    uint64_t *cursor, uint64_t upto, bool (*fn)(const struct event *, void *),
    void *arg)
{
	struct reading r = {number, cursor, upto, fn, arg, JOURNAL_END};
	struct store_key key = store_key2(number, *cursor + 1);
	struct store_txn t;
	struct err err;
	store_read(s, &t, STORE_JOURNAL);
	store_each(&t, TABLE_EVENTS, key.bytes, 16, read_one, &r);
	if (store_read_end(&t, &err) != 0)
		log_error("%s", err.text);
	/*
	 * What was promised and is missing, as in a damaged page, is gone;
	 * otherwise a reader that waits for it would ask again and again.
	 */
	if (r.result == JOURNAL_END && upto != UINT64_MAX && *cursor < upto) {
		*cursor = upto;
		r.result = JOURNAL_GONE;
	}
	return r.result;
}

struct ranging {
	uint64_t number;
	const struct journal_range *range;
	size_t left;
	bool (*fn)(const struct event *, void *);
	void *arg;
	uint64_t next; /* where to go on; 0: nowhere */
};

static bool read_in_range(
    struct store_span key, struct store_span value, void *arg)
{
	struct ranging *r = arg;
	struct event ev;
	if (key.len != 16 || store_number(key.data) != r->number)
		return false;
	uint64_t seq = store_number((const char *)key.data + 8);
	if (seq > r->range->upto)
		return false;
	if (!r->left) {
		r->next = seq;
		return false;
	}
	r->left--;
	if (!event_decode(&ev, value.data, value.len))
		return true;
	ev.seq = seq;
	if (!r->fn(&ev, r->arg))
		r->left = 0;
	return true;
}

uint64_t journal_read_range(struct store *s, uint64_t number,
    const struct journal_range *range, bool (*fn)(const struct event *, void *),
    void *arg)
{
	struct ranging r = {number, range, range->most, fn, arg, 0};
	uint64_t from = range->from;
	struct store_txn t;
	struct err err;
	if (range->is_backwards && (!from || from > range->upto))
		from = range->upto;
	struct store_key key = store_key2(number, from);
	store_read(s, &t, STORE_JOURNAL);
	if (range->is_backwards)
		store_each_back(
		    &t, TABLE_EVENTS, key.bytes, 16, read_in_range, &r);
	else
		store_each(&t, TABLE_EVENTS, key.bytes, 16, read_in_range, &r);
	if (store_read_end(&t, &err) != 0)
		log_error("%s", err.text);
	return r.next;
}

/* The first event from a position on that can be read. */
struct probe {
	uint64_t number;
	uint64_t upto;
	bool is_found;
	uint64_t seq;
	uint64_t n_views; /* up to its end */
};

static bool probe_one(struct store_span key, struct store_span value, void *arg)
{
	struct probe *p = arg;
	struct event ev;
	if (key.len != 16 || store_number(key.data) != p->number)
		return false;
	p->seq = store_number((const char *)key.data + 8);
	if (p->seq > p->upto)
		return false;
	if (!event_decode(&ev, value.data, value.len))
		return true;
	p->is_found = true;
	p->n_views = views_upto(&ev);
	return false;
}

/*
 * A binary search over the rows. What cannot be read counts like the next event
 * that can, so that a reader who begins there does not miss that one.
 */
uint64_t journal_find_view(
    struct store *s, uint64_t number, uint64_t view, uint64_t upto)
{
	struct journal_meta meta;
	struct store_txn t;
	struct err err;
	store_read(s, &t, STORE_JOURNAL);
	(void)journal_meta(&t, number, &meta);
	uint64_t low = meta.first, high = upto + 1;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		struct probe p = {.number = number, .upto = upto};
		struct store_key key = store_key2(number, middle);
		store_each(&t, TABLE_EVENTS, key.bytes, 16, probe_one, &p);
		if (p.is_found && p.n_views < view)
			low = p.seq + 1;
		else
			high = middle;
	}
	if (store_read_end(&t, &err) != 0)
		log_error("%s", err.text);
	return high;
}
