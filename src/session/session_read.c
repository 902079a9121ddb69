/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
/* The reading of events: part of session.h. */
#include "session/all.h"

#include <string.h>

#include "core/stat.h"

/* Events before a turn in which a client's last one is looked for. */
#define FIND_BEFORE 500

void session_ring(struct session *s)
{
	if (list_is_empty(&s->attachments) || !list_is_empty(&s->rung))
		return;
	list_append(&s->all->rung, &s->rung);
	s->all->setup.ask_flush(s->all->setup.arg);
}

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
		session_ring(s);
}

void session_detach(struct attachment *a)
{
	if (!a->session)
		return;
	list_remove(&a->link);
	stat_add(sessions_attached, -1);
	session_close(&a->session);
}

enum session_read session_read(
    struct attachment *a, bool (*fn)(const struct event *, void *), void *arg)
{
	struct session *s = a->session;
	uint64_t before = a->cursor;
	a->is_rung = false;
	enum journal_read r = journal_read(s->all->setup.store, s->number,
	    &a->cursor, session_head(s), fn, arg);
	if (r == JOURNAL_GONE) {
		stat_add(gone, 1);
		return READ_GONE;
	}
	stat_add(replayed, a->cursor - before);
	return r == JOURNAL_END ? READ_END : READ_STOPPED;
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

uint64_t session_find(const struct session *s, const char *id, size_t len)
{
	struct finding f = {id, len, 0};
	uint64_t began = session_turn_began(s);
	if (!began)
		return 0;
	uint64_t cursor = began - 1;
	while (journal_read(s->all->setup.store, s->number, &cursor, UINT64_MAX,
		   match_id, &f) == JOURNAL_GONE)
		;
	return f.seq;
}

bool session_find_before(const struct session *s, const char *id, size_t len)
{
	struct finding f = {id, len, 0};
	uint64_t began = session_turn_began(s);
	if (began < 2)
		return false;
	uint64_t cursor = began > FIND_BEFORE ? began - FIND_BEFORE : 0;
	while (journal_read(s->all->setup.store, s->number, &cursor, began - 1,
		   match_id, &f) == JOURNAL_GONE)
		;
	return f.seq != 0;
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
