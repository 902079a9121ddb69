/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/log.h"
#include "core/conf.h"
#include "core/stat.h"
#include "journal/journal_int.h"

#include <string.h>

/* The maximum number of events that one commit removes beyond those it adds. */
#define TRIM_STEP 2048

static bool is_refused(struct store_txn *t, struct commit *c)
{
	if (c->check)
		c->refusal = c->check(t, c);
	if (c->refusal)
		c->outcome = COMMIT_REFUSED;
	return c->refusal != 0;
}

static void write_row(struct store_txn *t, const struct commit_put *p)
{
	struct store_span key = {p->key.data, p->key.len};
	struct store_span value = {p->value.data, p->value.len};
	if (p->write)
		p->write(t, key, value);
	else
		store_put(
		    t, p->table, key.data, key.len, value.data, value.len);
}

static void apply_puts(struct store_txn *t, struct commit *c)
{
	for (unsigned i = 0; i < c->n_puts; i++)
		write_row(t, &c->puts[i]);
	if (c->also)
		c->also(t, c);
}

static void fail(
    struct commit *c, const struct store_txn *t, const struct err *err)
{
	if (c->outcome != COMMIT_OK)
		return;
	c->outcome = COMMIT_FAILED;
	c->lacks_room = store_lacks_room(t);
	c->met_damage = store_met_damage(t);
	c->err = *err;
}

static void log_failure(struct list *batch, const struct err *err)
{
	bool is_news = false;
	list_each(it, batch) is_news |=
	    !list_entry(it, struct commit, link)->is_quiet;
	if (is_news)
		log_error("%s", err->text);
}

/*
 * Too late: the agent has finished, so this stimulus would be lost. Its end is
 * not written yet.
 */
static bool is_too_late(const struct journal_setup *s, const struct commit *c)
{
	if (c->rule != COMMIT_IN_TURN || !c->n_stimuli)
		return false;
	const struct entry *e = registry_entry(s->registry, c->at);
	return atomic_load(&e->closing) == c->turn;
}

void journal_write_facts(
    const struct journal_setup *s, struct store_txn *t, struct list *batch)
{
	struct err err;
	list_each(it, batch)
	{
		struct commit *c = list_entry(it, struct commit, link);
		if (!c->has_facts)
			continue;
		if (is_too_late(s, c))
			c->outcome = COMMIT_CLOSED;
		else if (!is_refused(t, c))
			apply_puts(t, c);
	}
	int rc = store_commit(t, &err);
	if (rc != 0)
		log_failure(batch, &err);
	list_each(it, batch)
	{
		struct commit *c = list_entry(it, struct commit, link);
		if (rc != 0)
			fail(c, t, &err);
		c->are_facts_written = c->has_facts && c->outcome == COMMIT_OK;
	}
}

static bool rule_allows(const struct commit *c, const struct journal_meta *m)
{
	switch (c->rule) {
	case COMMIT_BEGIN:
		return m->turn < c->turn;
	case COMMIT_IN_TURN:
		return m->turn == c->turn && m->ended < c->turn;
	case COMMIT_END:
		return m->ended < c->turn;
	}
	panic("journal: rule %d", (int)c->rule);
}

static bool is_too_long(const struct conf *conf, const struct journal_meta *m)
{
	return m->last + 1 - m->first > (uint64_t)conf->journal_events ||
	       m->bytes > (uint64_t)conf->journal_bytes;
}

/* A tenth more than necessary, so that not every commit has to trim. */
static uint64_t surplus(const struct conf *conf, const struct journal_meta *m)
{
	uint64_t most = (uint64_t)conf->journal_events;
	uint64_t kept = m->last + 1 - m->first;
	return kept > most ? kept - most + most / 10 : kept / 4 + 1;
}

/*
 * Keep a journal within its limits by dropping its oldest events, but never the
 * newest. A commit may drop more than it added, so that a journal which is too
 * long always gets shorter.
 */
static void trim(const struct journal_setup *s, struct store_txn *t,
    struct commit *c, struct journal_meta *m)
{
	const struct conf *conf = s->conf;
	uint64_t left = TRIM_STEP + c->n_events;
	while (left && m->first < m->last && is_too_long(conf, m)) {
		uint64_t drop = surplus(conf, m);
		if (drop > left)
			drop = left;
		if (drop > m->last - m->first)
			drop = m->last - m->first;
		uint64_t bytes = store_delete_events(
		    t, c->number, m->first, m->first + drop - 1);
		m->bytes -= bytes < m->bytes ? bytes : m->bytes;
		m->first += drop;
		left -= drop;
	}
}

/* Write the next event, which gets its position and its views. */
static void put_event(struct store_txn *t, uint64_t number,
    struct journal_meta *m, struct event *ev, struct buf *row)
{
	struct store_key key = store_key2(number, ++m->last);
	journal_number(m, ev);
	buf_reset(row);
	event_store(row, ev);
	store_put(t, TABLE_EVENTS, key.bytes, 16, row->data, row->len);
	m->bytes += row->len;
}

static void put_events(
    struct store_txn *t, struct commit *c, struct journal_meta *m)
{
	struct buf row = {0};
	for (size_t at = 0; at < c->events.len;) {
		struct event ev;
		uint32_t len;
		memcpy(&len, c->events.data + at, sizeof len);
		at += sizeof len;
		if (!event_decode(&ev, c->events.data + at, len))
			panic("journal: an event changed before its commit");
		put_event(t, c->number, m, &ev, &row);
		at += len;
	}
	buf_fini(&row);
}

static void append(
    const struct journal_setup *s, struct store_txn *t, struct commit *c)
{
	struct journal_meta m;
	(void)journal_meta(t, c->number, &m);
	if (t->rc)
		return; /* m cannot be trusted */
	if (!rule_allows(c, &m) || (!c->has_facts && is_too_late(s, c))) {
		c->outcome = COMMIT_CLOSED;
		c->last_seq = m.last;
		return;
	}
	if (!c->has_facts) {
		if (is_refused(t, c))
			return;
		apply_puts(t, c);
	}
	c->first_seq = m.last + 1;
	put_events(t, c, &m);
	c->last_seq = m.last;
	if (m.turn < c->turn) {
		m.turn = c->turn;
		m.began = c->first_seq;
	}
	if (c->rule == COMMIT_END)
		m.ended = c->turn;
	trim(s, t, c, &m);
	struct store_key key = store_key1(c->number);
	store_put(t, TABLE_JOURNALS, key.bytes, 8, &m, sizeof m);
}

static void remove_journal(struct store_txn *t, const struct commit *c)
{
	struct store_key key = store_key1(c->number);
	(void)store_delete_events(t, c->number, 0, UINT64_MAX);
	store_delete(t, TABLE_JOURNALS, key.bytes, 8);
}

/* Events, while the remaining room is reserved for the ends of turns. */
static bool is_kept_out(const struct journal_setup *s, struct commit *c)
{
	if (c->has_facts || c->rule == COMMIT_END ||
	    !store_is_for_ends(s->store))
		return false;
	c->outcome = COMMIT_FAILED;
	(void)err_set(&c->err, ERR_STORE, NULL);
	return true;
}

static void append_all(
    const struct journal_setup *s, struct store_txn *t, struct list *batch)
{
	list_each(it, batch)
	{
		struct commit *c = list_entry(it, struct commit, link);
		if (c->outcome == COMMIT_OK && c->removes_journal)
			remove_journal(t, c);
		if (c->outcome == COMMIT_OK && c->n_events &&
		    !is_kept_out(s, c))
			append(s, t, c);
	}
}

/* A commit without events has succeeded: its facts were all it had. */
static bool fail_events(struct list *batch, bool are_ends,
    const struct store_txn *t, const struct err *err)
{
	bool is_some_left = false;
	list_each(it, batch)
	{
		struct commit *c = list_entry(it, struct commit, link);
		if (c->n_events && (are_ends || c->rule != COMMIT_END))
			fail(c, t, err);
		is_some_left |= c->n_events && c->outcome == COMMIT_OK;
	}
	return is_some_left;
}

/*
 * One transaction per commit, since a damaged page belongs to few sessions:
 * only those must fail.
 */
static void commit_each(const struct journal_setup *s, struct list *batch)
{
	list_each(it, batch)
	{
		struct commit *c = list_entry(it, struct commit, link);
		struct store_txn t;
		struct err err;
		if (c->outcome != COMMIT_OK || !c->n_events ||
		    is_kept_out(s, c))
			continue;
		store_write(s->store, &t, STORE_JOURNAL);
		append(s, &t, c);
		if (store_commit(&t, &err) != 0)
			fail(c, &t, &err);
	}
}

/*
 * When there is no room for all events, there may be for the ends of turns: no
 * client must wait for one in vain.
 */
void journal_write_events(
    const struct journal_setup *s, struct store_txn *t, struct list *batch)
{
	struct err err;
	append_all(s, t, batch);
	if (store_commit(t, &err) == 0)
		return;
	log_failure(batch, &err);
	if (store_met_damage(t)) {
		commit_each(s, batch);
		return;
	}
	if (!fail_events(batch, false, t, &err))
		return;
	store_write(s->store, t, STORE_JOURNAL);
	append_all(s, t, batch);
	if (store_commit(t, &err) != 0)
		(void)fail_events(batch, true, t, &err);
}

void journal_publish(const struct journal_setup *s, const struct commit *c)
{
	struct registry *r = s->registry;
	struct entry *e = registry_entry(r, c->at);
	if (c->outcome == COMMIT_OK && c->rule == COMMIT_END)
		atomic_store(&e->ended, c->turn);
	if (c->outcome == COMMIT_OK && c->n_events) {
		if (c->rule == COMMIT_BEGIN) {
			atomic_store(&e->began, c->first_seq);
			atomic_store(&e->begun, c->turn);
		}
		if (c->question_at)
			entry_set_question(
			    e, c->first_seq + c->question_at - 1, c->question);
		atomic_fetch_add(&e->stimuli, c->n_stimuli);
		registry_grew(r, c->at, c->number, c->last_seq);
		stat_add(events, c->n_events);
	}
	if (c->ends_turn_of && c->outcome != COMMIT_FAILED &&
	    c->outcome != COMMIT_REFUSED)
		registry_end(r, c->at, c->ends_turn_of, true);
}
