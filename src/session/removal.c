/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "session/removal.h"

#include "base/clock.h"
#include "base/log.h"
#include "session/change.h"
#include "session/draft.h"
#include "session/record_put.h"
#include "session/session_int.h"
#include "session/waiting.h"
#include "store/feed.h"
#include "store/record.h"

#include <string.h>

/* How long a deletion waits for the turn to end. */
#define PATIENCE_MS 60000

/* ---- in a committer thread ---- */

static bool read_record(struct store_txn *t, uint64_t number, struct record *r)
{
	struct store_key key = store_key1(number);
	struct store_span row;
	return store_get(t, TABLE_SESSIONS, key.bytes, 8, &row) &&
	       record_decode(r, row);
}

/* An input that waits gets its turn, or is cancelled by the interrupt, first. */
static int check_idle(struct store_txn *t, struct commit *c)
{
	struct record r;
	bool runs = read_record(t, c->number, &r) && r.status == RECORD_RUNNING;
	return runs || waiting_is_any(t, c->number);
}

/*
 * In session_results.jsonl, a line that has expired supersedes the session's,
 * and goes with it when the file is compacted.
 */
static void feed_removal(struct store_txn *t, const struct record *old)
{
	struct buf row = {0};
	struct record r = *old;
	r.status = RECORD_CONNECTED;
	r.expires_ms = 1;
	r.prompt = (struct store_span){"", 0};
	r.result = r.reason = r.extra = (struct store_span){NULL, 0};
	record_encode(&row, &r);
	store_append(t, TABLE_FEED, row.data, row.len);
	buf_fini(&row);
}

static void remove_rows(
    struct store_txn *t, struct store_span id, struct store_span number)
{
	draft_delete(t, store_number(number.data), UINT64_MAX);
	record_remove(t, store_number(number.data), id.data, id.len);
}

static void remove_rows_and_feed(
    struct store_txn *t, struct store_span id, struct store_span number)
{
	struct record r;
	if (read_record(t, store_number(number.data), &r))
		feed_removal(t, &r);
	remove_rows(t, id, number);
}

/* ---- on the loop ---- */

/* The rows are gone: the registry must forget the session as well. */
static void forget_entry(struct session_change *change)
{
	struct session *s = change->session;
	struct sessions *all = s->all;
	if (!registry_delete(all->registry, s->at, all->self))
		return; /* the next tick tries again */
	log_info("session=%s: deleted", s->id);
	journal_ring(all->journal, s->number, s->at);
	session_grew(s);
	change_end(&change, NULL);
}

static void wait_again(struct session_change *change)
{
	struct session *s = change->session;
	registry_end(s->all->registry, s->at, s->all->self, false);
	session_begin_next(s);
	list_append(&s->all->removals, &change->link);
}

static void on_written(struct commit *c)
{
	struct session_change *change = c->arg;
	struct session *s = change->session;
	struct err err = c->err;
	enum commit_outcome outcome = c->outcome;
	journal_commit_free(c);
	if (outcome == COMMIT_REFUSED) {
		wait_again(change);
	} else if (outcome != COMMIT_OK) {
		registry_end(s->all->registry, s->at, s->all->self, false);
		change_end(&change, &err);
	} else {
		change->is_written = true;
		list_append(&s->all->removals, &change->link);
		forget_entry(change);
	}
}

static void push(struct session_change *change)
{
	struct session *s = change->session;
	struct store_key key = store_key1(s->number);
	struct commit *c = journal_commit(s->number, s->at, 0, COMMIT_IN_TURN);
	struct commit_put *p = journal_put(c, TABLE_IDS, s->id, strlen(s->id));
	buf_append(&p->value, key.bytes, 8);
	p->write = feed_is_wanted(s->all->setup.conf) ? remove_rows_and_feed
						      : remove_rows;
	c->check = check_idle;
	c->removes_journal = true;
	c->done = on_written;
	c->arg = change;
	list_remove(&change->link);
	journal_push(s->all->journal, c, true);
}

/* Each turn is interrupted once. */
static void interrupt(struct session_change *change)
{
	struct session *s = change->session;
	struct err err;
	uint32_t turn = session_turn(s);
	if (session_status(s) != SESSION_RUNNING || change->interrupted == turn)
		return;
	change->interrupted = turn;
	(void)session_interrupt(
	    s, SESSION_STOP, &err); /* it may have ended just now */
}

static void step(struct session_change *change)
{
	struct session *s = change->session;
	struct err err;
	if (change->is_written) {
		forget_entry(change);
	} else if (session_is_deleted(s)) {
		change_end(&change, NULL); /* by another client */
	} else if (registry_begin(s->all->registry, s->at, s->all->self, 0)) {
		push(change);
	} else if (clock_mono_ms() >= change->give_up_ms) {
		(void)err_set(&err, ERR_BUSY,
		    "the session was not deleted: its turn does not end; try "
		    "again");
		change_end(&change, &err);
	} else {
		interrupt(change);
	}
}

void removal_tick(struct sessions *all)
{
	list_each_safe(it, &all->removals)
	    step(list_entry(it, struct session_change, link));
}

struct session_change *session_delete(
    struct session *s, session_change_fn *fn, void *arg)
{
	struct session_change *change = change_new(s, fn, arg);
	change->give_up_ms = clock_mono_ms() + PATIENCE_MS;
	list_append(&s->all->removals, &change->link);
	if (registry_begin(s->all->registry, s->at, s->all->self, 0))
		push(change);
	else
		interrupt(change);
	return change;
}

void removal_free_all(struct sessions *all)
{
	struct list *l;
	while ((l = list_shift(&all->removals))) {
		struct session_change *change =
		    list_entry(l, struct session_change, link);
		change->fn = NULL;
		change_end(&change, NULL);
	}
}
