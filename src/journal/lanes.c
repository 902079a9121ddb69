/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
/* The committer threads of a journal and their queues: part of journal.h. */
#include "base/log.h"
#include "base/mem.h"
#include "core/pulse.h"
#include "core/stat.h"
#include "journal/bell.h"
#include "journal/journal_int.h"

#include <pthread.h>
#include <stdlib.h>

enum lane_kind { LANE_CHATTER, LANE_FACTS, N_LANES };

struct lane {
	struct journal *journal;
	enum lane_kind kind;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t is_changed;
	struct list queue;
	uint64_t n_pushed; /* commits ever queued here */
	uint64_t n_done;   /* commits whose events were written */
	bool is_stopping;
};

struct journal {
	struct journal_setup setup;
	struct lane lanes[N_LANES];
	pthread_mutex_t done_mutex;
	struct list done;
	size_t n_pending; /* used only on the loop's thread */
};

/* ---- in a committer thread ---- */

/*
 * Wake this process before notifying others: a client must learn that its input
 * was accepted before it sees the results elsewhere.
 */
static void lanes_deliver(struct journal *j, struct list *batch, size_t n)
{
	struct bell *bells = mem_zero(n * sizeof *bells);
	size_t n_bells = 0;
	list_each(it, batch)
	{
		struct commit *c = list_entry(it, struct commit, link);
		journal_publish(&j->setup, c);
		if (c->outcome == COMMIT_OK && c->n_events)
			bells[n_bells++] = bell_make(&j->setup, c);
	}
	pthread_mutex_lock(&j->done_mutex);
	while (!list_is_empty(batch))
		list_append(&j->done, list_shift(batch));
	pthread_mutex_unlock(&j->done_mutex);
	j->setup.on_done(j->setup.arg);
	for (size_t i = 0; i < n_bells; i++)
		bell_ring(&bells[i]);
	free(bells);
}

/* Wait until something is queued. Returns false when the lane stops. */
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

/*
 * Take the queued commits that may proceed, given that n_written commits of the
 * events lane have been written.
 */
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

/* Wait until this many commits of a lane are written. Returns how many are. */
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
 * One round of a committer. It takes the store's write lock before draining its
 * queue, since other processes may hold the lock for long: work queued
 * meanwhile joins the same transaction.
 */
static void run_round(struct lane *l, uint64_t first_ticket)
{
	struct journal *j = l->journal;
	struct store_txn t;
	struct list batch;
	uint64_t n;
	if (l->kind == LANE_FACTS) {
		/*
		 * The events that precede a result are in the journal before it
		 * is in the facts.
		 */
		uint64_t n_written =
		    wait_for(&j->lanes[LANE_CHATTER], first_ticket);
		store_write(j->setup.store, &t, STORE_FACTS);
		n = take(l, &batch, n_written);
		journal_write_facts(&j->setup, &t, &batch);
		store_write(j->setup.store, &t, STORE_JOURNAL);
	} else {
		store_write(j->setup.store, &t, STORE_JOURNAL);
		n = take(l, &batch, 0);
	}
	journal_write_events(&j->setup, &t, &batch);
	note_done(l, n);
	lanes_deliver(j, &batch, n);
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
	stat_add(commits_waiting, 1);
	pthread_mutex_lock(&l->mutex);
	list_append(&l->queue, &c->link);
	l->n_pushed++;
	pthread_cond_broadcast(&l->is_changed);
	pthread_mutex_unlock(&l->mutex);
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
		stat_add(commits_waiting, -1);
		c->done(c);
	}
}

void journal_ring(struct journal *j, uint64_t number, uint32_t at)
{
	const struct commit c = {.number = number, .at = at};
	const struct bell bell = bell_make(&j->setup, &c);
	bell_ring(&bell);
}

size_t journal_pending(const struct journal *j)
{
	return j->n_pending;
}
