/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "session/attachment.h"

#include "core/stat.h"
#include "session/session_int.h"

#include <string.h>

/*
 * How many events before a turn are searched for the last one that a client has
 * seen.
 */
#define FIND_BEFORE 500

void session_attach(struct session *s, struct attachment *a, uint64_t after,
    void (*on_more)(void *), void *arg)
{
	*a = (struct attachment){
	    .session = session_ref(s),
	    .cursor = after,
	    .on_more = on_more,
	    .arg = arg,
	};
	list_append(&s->attachments, &a->link);
	stat_add(sessions_attached, 1);
	if (session_head(s) > after)
		session_grew(s);
}

void session_detach(struct attachment *a)
{
	if (!a->session)
		return;
	list_remove(&a->link);
	stat_add(sessions_attached, -1);
	session_close(&a->session);
}

/* ---- notifications ---- */

static struct attachment *next_behind(struct session *s)
{
	uint64_t head = session_head(s);
	list_each(it, &s->attachments)
	{
		struct attachment *a = list_entry(it, struct attachment, link);
		if (!a->is_rung && a->cursor < head)
			return a;
	}
	return NULL;
}

bool attachment_is_any_behind(struct session *s)
{
	return next_behind(s) != NULL;
}

/* on_more may detach any attachment: start again after each call. */
void attachment_ring_all(struct session *s)
{
	struct attachment *a;
	struct session *held = session_ref(s);
	while ((a = next_behind(s))) {
		a->is_rung = true;
		a->on_more(a->arg);
	}
	session_close(&held);
}

/* ---- damage ---- */

/* Only the next turn follows the end of a turn. */
static bool is_end_lost(const struct attachment *a)
{
	const struct entry *e = session_entry(a->session);
	uint32_t turn = atomic_load(&e->begun);
	return turn && atomic_load(&e->ended) == turn &&
	       a->cursor == atomic_load(&e->head);
}

static void make_end(struct draft *d, const struct session_record *r)
{
	bool is_done = r->result != NULL;
	event_begin(d, is_done ? EV_DONE : EV_FAILED, r->turn);
	if (is_done)
		event_str(d, "result", r->result, r->result_len);
	else
		event_str(d, "reason", r->reason, strlen(r->reason));
	event_int(d, "duration_ms", r->duration_ms);
}

static int read_meta(const struct session *s, struct journal_meta *meta)
{
	struct store_txn t;
	struct err err;
	store_read(s->all->setup.store, &t, STORE_JOURNAL);
	(void)journal_meta(&t, s->number, meta);
	return store_read_end(&t, &err);
}

/*
 * Whether the cursor is beyond events that are kept, or were until they were
 * damaged.
 */
static bool is_in_journal(const struct attachment *a)
{
	struct journal_meta meta;
	return read_meta(a->session, &meta) != 0 || meta.first <= a->cursor;
}

/*
 * The views of an end at the head of the journal, from which it was lost. It
 * was counted if it had been written.
 */
static void number_end(const struct session *s, struct event *end)
{
	struct views_memory memory = {0};
	struct journal_meta meta;
	(void)read_meta(s, &meta); /* else it is zero */
	end->views = views_of(end, &memory);
	end->first_view = meta.n_views + 1;
	if (meta.last == end->seq && meta.n_views >= views_count(end->views))
		end->first_view -= views_count(end->views);
}

/* A journal that was lost has no record of the end. */
static bool has_ended(const struct session *s, uint32_t turn)
{
	uint32_t ended = atomic_load(&session_entry(s)->ended);
	return ended ? turn == ended
		     : turn && session_status(s) != SESSION_RUNNING;
}

/* Pass the end stored in the facts to fn. Returns whether there is one. */
static bool tell_end(
    struct attachment *a, bool (*fn)(const struct event *, void *), void *arg)
{
	const struct session *s = a->session;
	struct session_record r;
	struct draft d = {0};
	struct buf mem = {0};
	struct err err;
	bool found =
	    session_look(s->all, s->id, strlen(s->id), &mem, &r, &err) == 0 &&
	    has_ended(s, r.turn);
	if (found) {
		make_end(&d, &r);
		struct event ev = {.seq = a->cursor,
		    .turn = d.turn,
		    .type = d.type,
		    .time_us = r.updated_ms * 1000,
		    .id = "",
		    .body = d.body.data,
		    .body_len = d.body.len};
		number_end(s, &ev);
		(void)fn(&ev, arg);
	}
	event_fini(&d);
	buf_fini(&mem);
	return found;
}

/* Remembers which event was passed on last. */
struct counting {
	bool (*fn)(const struct event *, void *);
	void *arg;
	uint64_t last;
};

static bool count(const struct event *ev, void *arg)
{
	struct counting *c = arg;
	c->last = ev->seq;
	return c->fn(ev, c->arg);
}

enum session_read session_read(
    struct attachment *a, bool (*fn)(const struct event *, void *), void *arg)
{
	struct session *s = a->session;
	uint64_t before = a->cursor;
	struct counting c = {fn, arg, before};
	bool is_end_due = a->is_end_lost;
	a->is_rung = a->is_end_lost = false;
	if (session_is_deleted(s)) {
		a->cursor = session_head(s); /* it is told once */
		return READ_DELETED;
	}
	if (is_end_due && tell_end(a, fn, arg))
		return READ_STOPPED;
	enum journal_read r = journal_read(s->all->setup.store, s->number,
	    &a->cursor, session_head(s), count, &c);
	if (r == JOURNAL_GONE) {
		stat_add(gone, 1);
		a->n_missed = a->cursor - c.last;
		a->is_damaged = is_in_journal(a);
		a->is_end_lost = is_end_lost(a);
		return READ_GONE;
	}
	stat_add(replayed, a->cursor - before);
	return r == JOURNAL_END ? READ_END : READ_STOPPED;
}

uint64_t session_find_view(const struct session *s, uint64_t view)
{
	return journal_find_view(
	    s->all->setup.store, s->number, view, session_head(s));
}

uint64_t session_events(const struct session *s,
    const struct session_range *range, bool (*fn)(const struct event *, void *),
    void *arg)
{
	const struct journal_range r = {
	    .from = range->from,
	    .upto = session_head(s),
	    .is_backwards = range->is_backwards,
	    .most = range->most < SESSION_RANGE_MOST ? range->most
						     : SESSION_RANGE_MOST,
	};
	return journal_read_range(s->all->setup.store, s->number, &r, fn, arg);
}

struct finding {
	const char *id;
	size_t len;
	uint64_t seq;
};

static bool match_id(const struct event *ev, void *arg)
{
	struct finding *f = arg;
	if (event_class(ev->type) != EVENT_STREAM || ev->id_len != f->len ||
	    memcmp(ev->id, f->id, f->len) != 0)
		return true;
	f->seq = ev->seq;
	return false;
}

static bool match_last_id(const struct event *ev, void *arg)
{
	(void)match_id(ev, arg);
	return true;
}

static bool match_joined(const struct event *ev, void *arg)
{
	struct finding *f = arg;
	if ((ev->type != EV_MORE_INPUT && ev->type != EV_ANSWER) ||
	    ev->id_len != f->len || memcmp(ev->id, f->id, f->len) != 0)
		return true;
	f->seq = ev->seq;
	return false;
}

/* Returns the first event of the latest turn at which fn stops, or 0. */
static uint64_t find_in_turn(const struct session *s, const char *id,
    size_t len, bool (*fn)(const struct event *ev, void *arg))
{
	struct finding f = {id, len, 0};
	uint64_t began = session_turn_began(s);
	if (!began)
		return 0;
	uint64_t cursor = began - 1;
	while (journal_read(s->all->setup.store, s->number, &cursor, UINT64_MAX,
		   fn, &f) == JOURNAL_GONE)
		;
	return f.seq;
}

uint64_t session_find(const struct session *s, const char *id, size_t len)
{
	return find_in_turn(s, id, len, match_id);
}

bool session_has_joined(const struct session *s, const char *id, size_t len)
{
	return find_in_turn(s, id, len, match_joined) != 0;
}

uint64_t session_find_before(
    const struct session *s, const char *id, size_t len)
{
	struct finding f = {id, len, 0};
	uint64_t began = session_turn_began(s);
	if (began < 2)
		return 0;
	uint64_t cursor = began > FIND_BEFORE ? began - FIND_BEFORE : 0;
	while (journal_read(s->all->setup.store, s->number, &cursor, began - 1,
		   match_last_id, &f) == JOURNAL_GONE)
		;
	return f.seq;
}

bool session_has_id(
    const struct session *s, uint64_t seq, const char *id, size_t len)
{
	struct finding f = {id, len, 0};
	uint64_t cursor = seq - 1;
	(void)journal_read(
	    s->all->setup.store, s->number, &cursor, seq, match_id, &f);
	return f.seq == seq;
}
