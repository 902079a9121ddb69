/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "session/journal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/conf.h"
#include "core/heritage.h"
#include "core/msg.h"
#include "core/pulse.h"
#include "core/stat.h"
#include "proc/mailbox.h"

/* One commit may remove so many events more than it adds. */
#define TRIM_STEP 2048

enum lane_kind { LANE_CHATTER, LANE_FACTS, N_LANES };

struct lane {
	struct journal *journal;
	enum lane_kind kind;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t is_changed;
	struct list queue;
	uint64_t n_pushed; /* commits ever queued here */
	uint64_t n_done;   /* commits whose events are written */
	bool is_stopping;
};

struct journal {
	struct journal_setup setup;
	struct lane lanes[N_LANES];
	pthread_mutex_t done_mutex;
	struct list done;
	size_t n_pending; /* loop's thread only */
};

/* ---- in a committer thread ---- */

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

/* Nobody would hear it: the agent has ended, and its end is not written yet. */
static bool is_too_late(const struct journal *j, const struct commit *c)
{
	if (c->rule != COMMIT_IN_TURN || !c->n_stimuli)
		return false;
	const struct entry *e = registry_entry(j->setup.registry, c->at);
	return atomic_load(&e->closing) == c->turn;
}

/* In an open transaction, which is ended. */
static void commit_facts(
    struct journal *j, struct store_txn *t, struct list *batch)
{
	struct err err;
	list_each(it, batch)
	{
		struct commit *c = list_entry(it, struct commit, link);
		if (!c->has_facts)
			continue;
		if (is_too_late(j, c))
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

/* A tenth more than needed, so that not every commit has to trim. */
static uint64_t surplus(const struct conf *conf, const struct journal_meta *m)
{
	uint64_t most = (uint64_t)conf->journal_events;
	uint64_t kept = m->last + 1 - m->first;
	return kept > most ? kept - most + most / 10 : kept / 4 + 1;
}

/*
 * Keep a journal within its limits by dropping its oldest events; the newest
 * one stays. A commit may drop more than it added, so that a journal which is
 * too long always gets shorter.
 */
static void trim(struct journal *j, struct store_txn *t, struct commit *c,
    struct journal_meta *m)
{
	const struct conf *conf = j->setup.conf;
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

static void append(struct journal *j, struct store_txn *t, struct commit *c)
{
	struct journal_meta m;
	(void)journal_meta(t, c->number, &m);
	if (t->rc)
		return; /* m is nothing to judge by */
	if (!rule_allows(c, &m) || (!c->has_facts && is_too_late(j, c))) {
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
	for (size_t at = 0; at < c->events.len;) {
		uint32_t len;
		memcpy(&len, c->events.data + at, sizeof len);
		struct store_key key = store_key2(c->number, ++m.last);
		store_put(t, TABLE_EVENTS, key.bytes, 16,
		    c->events.data + at + sizeof len, len);
		at += sizeof len + len;
		m.bytes += len;
	}
	c->last_seq = m.last;
	if (m.turn < c->turn) {
		m.turn = c->turn;
		m.began = c->first_seq;
	}
	if (c->rule == COMMIT_END)
		m.ended = c->turn;
	trim(j, t, c, &m);
	struct store_key key = store_key1(c->number);
	store_put(t, TABLE_JOURNALS, key.bytes, 8, &m, sizeof m);
}

/* Chatter, while what room there is belongs to the ends of turns. */
static bool is_kept_out(const struct journal *j, struct commit *c)
{
	if (c->has_facts || c->rule == COMMIT_END ||
	    !store_is_for_ends(j->setup.store))
		return false;
	c->outcome = COMMIT_FAILED;
	(void)err_set(&c->err, ERR_STORE, NULL);
	return true;
}

static void append_all(
    struct journal *j, struct store_txn *t, struct list *batch)
{
	list_each(it, batch)
	{
		struct commit *c = list_entry(it, struct commit, link);
		if (c->outcome == COMMIT_OK && c->n_events &&
		    !is_kept_out(j, c))
			append(j, t, c);
	}
}

/* What has no events is written: its facts were all. */
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
 * One transaction each, since a damaged page is of few sessions: it costs those
 * alone.
 */
static void commit_each(struct journal *j, struct list *batch)
{
	list_each(it, batch)
	{
		struct commit *c = list_entry(it, struct commit, link);
		struct store_txn t;
		struct err err;
		if (c->outcome != COMMIT_OK || !c->n_events ||
		    is_kept_out(j, c))
			continue;
		store_write(j->setup.store, &t, STORE_JOURNAL);
		append(j, &t, c);
		if (store_commit(&t, &err) != 0)
			fail(c, &t, &err);
	}
}

/*
 * In an open transaction, which is ended. When there is no room for all, there
 * may be for the ends of turns: nobody shall wait for one in vain.
 */
static void commit_events(
    struct journal *j, struct store_txn *t, struct list *batch)
{
	struct err err;
	append_all(j, t, batch);
	if (store_commit(t, &err) == 0)
		return;
	log_failure(batch, &err);
	if (store_met_damage(t)) {
		commit_each(j, batch);
		return;
	}
	if (!fail_events(batch, false, t, &err))
		return;
	store_write(j->setup.store, t, STORE_JOURNAL);
	append_all(j, t, batch);
	if (store_commit(t, &err) != 0)
		(void)fail_events(batch, true, t, &err);
}

/* A message for those who want to know that a journal has grown. */
struct bell {
	struct msg msg;
	uint64_t ears[2]; /* a bit for each slot */
};

static struct bell make_bell(struct journal *j, const struct commit *c)
{
	const struct entry *e = registry_entry(j->setup.registry, c->at);
	struct bell b = {.msg = {.version = MSG_VERSION,
			     .type = MSG_GREW,
			     .from_slot = (uint16_t)j->setup.slot,
			     .from_generation = j->setup.generation,
			     .a = c->number,
			     .b = c->last_seq,
			     .c = c->at}};
	registry_owner owner = atomic_load(&e->owner);
	b.ears[0] = atomic_load(&e->listeners[0]);
	b.ears[1] = atomic_load(&e->listeners[1]);
	if (c->n_stimuli && owner) {
		unsigned slot = owner_slot(owner);
		b.ears[slot / 64] |= 1ull << (slot % 64);
	}
	b.ears[j->setup.slot / 64] &= ~(1ull << (j->setup.slot % 64));
	return b;
}

/* The bell is best effort: a lost one costs latency, never data. */
static void ring(const struct bell *b)
{
	for (int half = 0; half < 2; half++)
		for (uint64_t set = b->ears[half]; set; set &= set - 1) {
			int slot = half * 64 + __builtin_ctzll(set);
			if (mailbox_send(HERITAGE_FD_MAILBOXES + slot, &b->msg,
				sizeof b->msg))
				stat_add(bells_sent, 1);
			else
				stat_add(bells_lost, 1);
		}
}

static void publish(struct journal *j, struct commit *c)
{
	struct registry *r = j->setup.registry;
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

/*
 * Others hear of a commit after this process has been woken: a client is told
 * that its input was taken before it sees what came of it elsewhere.
 */
static void deliver(struct journal *j, struct list *batch, size_t n)
{
	struct bell *bells = mem_zero(n * sizeof *bells);
	size_t n_bells = 0;
	list_each(it, batch)
	{
		struct commit *c = list_entry(it, struct commit, link);
		publish(j, c);
		if (c->outcome == COMMIT_OK && c->n_events)
			bells[n_bells++] = make_bell(j, c);
	}
	pthread_mutex_lock(&j->done_mutex);
	while (!list_is_empty(batch))
		list_append(&j->done, list_shift(batch));
	pthread_mutex_unlock(&j->done_mutex);
	j->setup.on_done(j->setup.arg);
	for (size_t i = 0; i < n_bells; i++)
		ring(&bells[i]);
	free(bells);
}

/* Wait until something is queued; false when the lane stops. */
static bool wait_for_work(struct lane *l, uint64_t *first_ticket)
{
	(void)pulse_set(PULSE_IDLE);
	pthread_mutex_lock(&l->mutex);
	while (list_is_empty(&l->queue) && !l->is_stopping)
		pthread_cond_wait(&l->is_changed, &l->mutex);
	(void)pulse_set(PULSE_BUSY);
	bool has_work = !list_is_empty(&l->queue);
	if (has_work)
		*first_ticket =
		    list_entry(l->queue.next, struct commit, link)->ticket;
	pthread_mutex_unlock(&l->mutex);
	return has_work;
}

/* Take what is queued and may go, now that so much chatter is written. */
static uint64_t take(struct lane *l, struct list *batch, uint64_t n_written)
{
	uint64_t n = 0;
	list_init(batch);
	pthread_mutex_lock(&l->mutex);
	while (!list_is_empty(&l->queue) &&
	       list_entry(l->queue.next, struct commit, link)->ticket <=
		   n_written) {
		list_append(batch, list_shift(&l->queue));
		n++;
	}
	pthread_mutex_unlock(&l->mutex);
	return n;
}

static void note_done(struct lane *l, uint64_t n)
{
	pthread_mutex_lock(&l->mutex);
	l->n_done += n;
	pthread_cond_broadcast(&l->is_changed);
	pthread_mutex_unlock(&l->mutex);
}

/* Wait until so many commits of a lane are written; how many are. */
static uint64_t wait_for(struct lane *l, uint64_t ticket)
{
	/* That lane has a pulse of its own. */
	(void)pulse_set(PULSE_IDLE);
	pthread_mutex_lock(&l->mutex);
	while (l->n_done < ticket)
		pthread_cond_wait(&l->is_changed, &l->mutex);
	(void)pulse_set(PULSE_BUSY);
	uint64_t n = l->n_done;
	pthread_mutex_unlock(&l->mutex);
	return n;
}

/*
 * One round of a lane. The lock of the store comes first, since other processes
 * may hold it for long: what is queued meanwhile goes along in one commit.
 */
static void run_round(struct lane *l, uint64_t first_ticket)
{
	struct journal *j = l->journal;
	struct store_txn t;
	struct list batch;
	uint64_t n;
	if (l->kind == LANE_FACTS) {
		/* A result in the facts has its events in the journal. */
		uint64_t n_written =
		    wait_for(&j->lanes[LANE_CHATTER], first_ticket);
		store_write(j->setup.store, &t, STORE_FACTS);
		n = take(l, &batch, n_written);
		commit_facts(j, &t, &batch);
		store_write(j->setup.store, &t, STORE_JOURNAL);
	} else {
		store_write(j->setup.store, &t, STORE_JOURNAL);
		n = take(l, &batch, 0);
	}
	commit_events(j, &t, &batch);
	note_done(l, n);
	deliver(j, &batch, n);
}

static void *run_lane(void *arg)
{
	static const enum pulse_line lines[N_LANES] = {
	    [LANE_CHATTER] = PULSE_CHATTER, [LANE_FACTS] = PULSE_FACTS};
	struct lane *l = arg;
	uint64_t first_ticket = 0;
	if (l->journal->setup.pulses)
		pulse_use(&l->journal->setup.pulses[lines[l->kind]]);
	while (wait_for_work(l, &first_ticket))
		run_round(l, first_ticket);
	(void)pulse_set(PULSE_NONE);
	return NULL;
}

/* ---- on the loop's thread ---- */

struct journal *journal_new(const struct journal_setup *setup)
{
	struct journal *j = mem_zero(sizeof *j);
	j->setup = *setup;
	list_init(&j->done);
	pthread_mutex_init(&j->done_mutex, NULL);
	for (int i = 0; i < N_LANES; i++) {
		struct lane *l = &j->lanes[i];
		l->journal = j;
		l->kind = (enum lane_kind)i;
		list_init(&l->queue);
		pthread_mutex_init(&l->mutex, NULL);
		pthread_cond_init(&l->is_changed, NULL);
	}
	for (int i = 0; i < N_LANES; i++)
		if (pthread_create(
			&j->lanes[i].thread, NULL, run_lane, &j->lanes[i]))
			fatal("journal: cannot start a thread");
	return j;
}

static void stop_lane(struct lane *l)
{
	pthread_mutex_lock(&l->mutex);
	l->is_stopping = true;
	pthread_cond_broadcast(&l->is_changed);
	pthread_mutex_unlock(&l->mutex);
	pthread_join(l->thread, NULL);
}

void journal_free(struct journal **j)
{
	if (!*j)
		return;
	stop_lane(&(*j)->lanes[LANE_FACTS]);
	stop_lane(&(*j)->lanes[LANE_CHATTER]);
	journal_collect(*j);
	free(*j);
	*j = NULL;
}

struct commit *journal_commit(
    uint64_t number, uint32_t at, uint32_t turn, enum commit_rule rule)
{
	struct commit *c = mem_zero(sizeof *c);
	list_init(&c->link);
	c->number = number;
	c->at = at;
	c->turn = turn;
	c->rule = rule;
	return c;
}

struct commit *journal_fence(void)
{
	return journal_commit(0, 0, 0, COMMIT_IN_TURN);
}

void journal_add(struct commit *c, struct draft *d)
{
	size_t at = c->events.len;
	uint32_t len = 0;
	buf_append(&c->events, &len, sizeof len);
	event_encode(&c->events, d, clock_wall_us());
	len = (uint32_t)(c->events.len - at - sizeof len);
	memcpy(c->events.data + at, &len, sizeof len);
	c->n_events++;
}

struct commit_put *journal_put(
    struct commit *c, enum store_table table, const void *key, size_t key_len)
{
	if (c->n_puts == COMMIT_PUTS)
		panic("journal: more than %d rows in a commit", COMMIT_PUTS);
	struct commit_put *p = &c->puts[c->n_puts++];
	c->has_facts = store_part_of(table) == STORE_FACTS;
	p->table = table;
	buf_append(&p->key, key, key_len);
	return p;
}

static uint64_t chatter_pushed(struct journal *j)
{
	struct lane *l = &j->lanes[LANE_CHATTER];
	pthread_mutex_lock(&l->mutex);
	uint64_t n = l->n_pushed;
	pthread_mutex_unlock(&l->mutex);
	return n;
}

void journal_push(struct journal *j, struct commit *c, bool in_facts_lane)
{
	c->is_in_facts_lane = c->has_facts || in_facts_lane;
	struct lane *l =
	    &j->lanes[c->is_in_facts_lane ? LANE_FACTS : LANE_CHATTER];
	if (c->is_in_facts_lane)
		c->ticket = chatter_pushed(j);
	j->n_pending++;
	pthread_mutex_lock(&l->mutex);
	list_append(&l->queue, &c->link);
	l->n_pushed++;
	pthread_cond_broadcast(&l->is_changed);
	pthread_mutex_unlock(&l->mutex);
}

void journal_commit_free(struct commit *c)
{
	for (unsigned i = 0; i < c->n_puts; i++) {
		buf_fini(&c->puts[i].key);
		buf_fini(&c->puts[i].value);
	}
	buf_fini(&c->events);
	buf_fini(&c->note);
	free(c);
}

void journal_collect(struct journal *j)
{
	struct list done;
	list_init(&done);
	pthread_mutex_lock(&j->done_mutex);
	while (!list_is_empty(&j->done))
		list_append(&done, list_shift(&j->done));
	pthread_mutex_unlock(&j->done_mutex);
	while (!list_is_empty(&done)) {
		struct commit *c =
		    list_entry(list_shift(&done), struct commit, link);
		j->n_pending--;
		c->done(c);
	}
}

size_t journal_pending(const struct journal *j)
{
	return j->n_pending;
}
