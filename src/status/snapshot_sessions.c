/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/clock.h"
#include "base/mem.h"
#include "core/err.h"
#include "core/event.h"
#include "journal/journal.h"
#include "journal/registry.h"
#include "status/snapshot_int.h"
#include "store/record.h"
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

/* ---- the registry ---- */

/* Entries are gathered up to this number, and then reduced to the first. */
#define GATHERED ((size_t)2 * SNAPSHOT_SESSIONS)

static int compare(const void *a, const void *b)
{
	const struct snapshot_session *x = a, *y = b;
	if (x->is_running != y->is_running)
		return x->is_running ? -1 : 1;
	if (x->idle_ms != y->idle_ms)
		return x->idle_ms < y->idle_ms ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

static void reduce(struct snapshot *s)
{
	qsort(s->sessions, s->n_sessions, sizeof *s->sessions, compare);
	if (s->n_sessions > SNAPSHOT_SESSIONS)
		s->n_sessions = SNAPSHOT_SESSIONS;
}

static int slot_of(registry_owner owner)
{
	unsigned slot = owner ? owner_slot(owner) : HERITAGE_SLOTS;
	return slot < HERITAGE_SLOTS ? (int)slot : -1;
}

static void take_entry(const struct registry_view *e, void *arg)
{
	struct snapshot *s = arg;
	/* Unsigned, since shared memory may hold anything. */
	int64_t idle_ms =
	    (int64_t)((uint64_t)clock_mono_ms() - (uint64_t)e->active_ms);
	s->n_known++;
	s->n_running += e->is_running;
	s->sessions[s->n_sessions++] = (struct snapshot_session){
	    .number = e->number,
	    .head = e->head,
	    .turn = e->turn,
	    .owner_slot = slot_of(e->owner),
	    .is_running = e->is_running,
	    .question = e->is_waiting ? (int)e->question : -1,
	    .n_listeners = e->n_listeners,
	    .idle_ms = idle_ms < 0 ? 0 : idle_ms,
	    .last_event = -1,
	};
	if (s->n_sessions == GATHERED)
		reduce(s);
}

void snapshot_take_sessions(struct snapshot *s, const struct registry *registry)
{
	s->sessions = mem_zero(GATHERED * sizeof *s->sessions);
	s->has_sessions = true;
	registry_each(registry, take_entry, s);
	reduce(s);
}

/* ---- the store ---- */

static char *text_of(struct store_span span)
{
	return mem_strndup(span.len ? span.data : "", span.len);
}

static void take_record(
    struct snapshot_session *session, const struct record *r)
{
	session->id = text_of(r->id);
	session->caller = text_of(r->caller);
	session->agent = text_of(r->agent);
	session->status = record_status_word(r->status);
	session->created_ms = r->created_ms;
	session->updated_ms = r->updated_ms;
}

static void add_record(struct store_txn *t, struct snapshot_session *session)
{
	struct store_key key = store_key1(session->number);
	struct store_span row;
	struct record r;
	if (store_look(t, TABLE_SESSIONS, key.bytes, 8, &row) != STORE_FOUND ||
	    !record_decode(&r, row))
		return;
	take_record(session, &r);
}

static void add_last_event(
    struct store_txn *t, struct snapshot_session *session)
{
	struct store_key key = store_key2(session->number, session->head);
	struct store_span row;
	struct event ev;
	if (!session->head ||
	    store_look(t, TABLE_EVENTS, key.bytes, 16, &row) != STORE_FOUND ||
	    !event_decode(&ev, row.data, row.len))
		return;
	session->last_event = (int)ev.type;
	session->last_event_ms = ev.time_us / 1000;
}

static void add_rows(struct snapshot *s, struct store *store,
    enum store_part part,
    void (*add)(struct store_txn *t, struct snapshot_session *session))
{
	struct store_txn t;
	struct err err;
	store_read(store, &t, part);
	for (size_t i = 0; i < s->n_sessions; i++)
		add(&t, &s->sessions[i]);
	if (store_read_end(&t, &err) != 0)
		snapshot_fault(s, "%s", err.text);
}

void snapshot_add_rows(struct snapshot *s, const struct snapshot_source *from)
{
	if (!s->n_sessions)
		return;
	add_rows(s, from->store, STORE_FACTS, add_record);
	add_rows(s, from->store, STORE_JOURNAL, add_last_event);
}

/* ---- without a registry ---- */

static bool take_stored(
    struct store_span key, struct store_span value, void *arg)
{
	struct snapshot *s = arg;
	struct record r;
	if (!record_decode(&r, value))
		return true;
	int64_t idle_ms = s->taken_ms - r.updated_ms;
	struct snapshot_session *session = &s->sessions[s->n_sessions++];
	*session = (struct snapshot_session){
	    .number = store_number(key.data),
	    .turn = r.turn,
	    .owner_slot = -1,
	    .is_running = r.status == RECORD_RUNNING,
	    .question = -1,
	    .idle_ms = idle_ms < 0 ? 0 : idle_ms,
	    .last_event = -1,
	};
	s->n_known++;
	s->n_running += session->is_running;
	if (s->n_sessions == GATHERED)
		reduce(s);
	return true;
}

static void add_head(struct store_txn *t, struct snapshot_session *session)
{
	struct journal_meta meta;
	if (journal_meta(t, session->number, &meta))
		session->head = meta.last;
	add_last_event(t, session);
}

void snapshot_take_stored(struct snapshot *s, struct store *store)
{
	struct store_key first = store_key1(0);
	struct store_txn t;
	struct err err;
	s->sessions = mem_zero(GATHERED * sizeof *s->sessions);
	s->has_sessions = true;
	store_read(store, &t, STORE_FACTS);
	store_each(&t, TABLE_SESSIONS, first.bytes, 8, take_stored, s);
	if (store_read_end(&t, &err) != 0)
		snapshot_fault(s, "%s", err.text);
	reduce(s);
	add_rows(s, store, STORE_FACTS, add_record);
	add_rows(s, store, STORE_JOURNAL, add_head);
}

bool snapshot_find(
    struct snapshot_session *session, struct store *store, const char *id)
{
	struct snapshot s = {.taken_ms = clock_wall_ms()};
	struct store_txn t;
	struct store_span row;
	struct err err;
	uint64_t number = 0;
	*session = (struct snapshot_session){0};
	store_read(store, &t, STORE_FACTS);
	if (store_look(&t, TABLE_IDS, id, strlen(id), &row) == STORE_FOUND &&
	    row.len == 8)
		number = store_number(row.data);
	struct store_key key = store_key1(number);
	s.sessions = mem_zero(GATHERED * sizeof *s.sessions);
	if (number &&
	    store_look(&t, TABLE_SESSIONS, key.bytes, 8, &row) == STORE_FOUND)
		(void)take_stored((struct store_span){key.bytes, 8}, row, &s);
	(void)store_read_end(&t, &err); /* as if nothing was found */
	bool is_found = s.n_sessions == 1;
	if (is_found) {
		add_rows(&s, store, STORE_FACTS, add_record);
		add_rows(&s, store, STORE_JOURNAL, add_head);
		*session = s.sessions[0];
		s.n_sessions = 0;
	}
	snapshot_fini(&s);
	return is_found;
}
