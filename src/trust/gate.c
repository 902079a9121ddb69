/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "trust/gate.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/err.h"
#include "store/store.h"
#include "trust/signed.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Claims looked at in one step of gate_expire(). */
#define EXPIRE_STEP 1000

struct gate {
	struct store *store;
	void (*wake)(void *arg);
	void *arg;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t is_changed;
	/* Under the mutex. */
	struct list queue;
	struct list finished;
	bool is_stopping;
	/* Of the loop alone. */
	struct list flight; /* all jobs that are not freed, the oldest first */
	size_t n_flight;
};

/* The row of a claim. */
struct claim {
	int64_t until_ms;
	int64_t claimed_ms;
	uint64_t peer;
	uint64_t has_grace;
};

/* ---- in the thread ---- */

static void verify(struct gate_job *job)
{
	if (!job->is_verified && !signed_verify(job->key, job->signature,
				     job->payload, job->payload_len))
		job->result = GATE_INVALID;
}

static bool is_graced(
    const struct claim *old, const struct gate_job *job, int64_t now)
{
	return old->has_grace && job->has_grace && old->peer == job->peer &&
	       now - old->claimed_ms <= GATE_GRACE_MS;
}

static void claim(struct store_txn *txn, struct gate_job *job)
{
	struct store_span row;
	struct claim old;
	int64_t now = clock_wall_ms();
	enum store_found found =
	    store_look(txn, TABLE_USED, job->digest, sizeof job->digest, &row);
	if (found == STORE_DAMAGED) {
		job->result = GATE_USED; /* that much is certain */
		return;
	}
	if (found == STORE_FOUND && row.len == sizeof old) {
		memcpy(&old, row.data, sizeof old);
		if (old.until_ms >= now) {
			if (!is_graced(&old, job, now))
				job->result = GATE_USED;
			return;
		}
	}
	struct claim mine = {.until_ms = job->until_ms,
	    .claimed_ms = now,
	    .peer = job->peer,
	    .has_grace = job->has_grace};
	store_put(txn, TABLE_USED, job->digest, sizeof job->digest, &mine,
	    sizeof mine);
}

static bool wants_claim(const struct gate_job *job)
{
	return job->is_claimed && job->result == GATE_OK;
}

static bool has_claims(struct list *batch)
{
	list_each(it, batch) if (wants_claim(list_entry(
				     it, struct gate_job, link))) return true;
	return false;
}

/* One commit for the claims of all that verified. */
static void claim_all(struct gate *g, struct list *batch)
{
	struct store_txn txn;
	struct err err;
	if (!has_claims(batch))
		return;
	store_write(g->store, &txn, STORE_FACTS);
	list_each(it, batch)
	{
		struct gate_job *job = list_entry(it, struct gate_job, link);
		if (wants_claim(job))
			claim(&txn, job);
	}
	if (store_commit(&txn, &err) == 0)
		return;
	log_error("gate: signatures are refused: %s", err.text);
	list_each(it, batch)
	{
		struct gate_job *job = list_entry(it, struct gate_job, link);
		if (wants_claim(job))
			job->result = GATE_UNAVAILABLE;
	}
}

static void do_batch(struct gate *g, struct list *batch)
{
	list_each(it, batch) verify(list_entry(it, struct gate_job, link));
	claim_all(g, batch);
	list_each(it, batch)
	{
		struct gate_job *job = list_entry(it, struct gate_job, link);
		if (job->work && job->result == GATE_OK)
			job->work(job);
	}
}

static void move_all(struct list *to, struct list *from)
{
	struct list *l;
	while ((l = list_shift(from)))
		list_append(to, l);
}

/* Wait for jobs and take them; false when the gate closes. */
static bool take(struct gate *g, struct list *batch)
{
	pthread_mutex_lock(&g->mutex);
	while (list_is_empty(&g->queue) && !g->is_stopping)
		pthread_cond_wait(&g->is_changed, &g->mutex);
	move_all(batch, &g->queue);
	bool is_open = !g->is_stopping;
	pthread_mutex_unlock(&g->mutex);
	return is_open;
}

static void give_back(struct gate *g, struct list *batch)
{
	pthread_mutex_lock(&g->mutex);
	move_all(&g->finished, batch);
	pthread_mutex_unlock(&g->mutex);
	g->wake(g->arg);
}

static void *run(void *arg)
{
	struct gate *g = arg;
	struct list batch;
	list_init(&batch);
	while (take(g, &batch)) {
		do_batch(g, &batch);
		give_back(g, &batch);
	}
	return NULL;
}

/* ---- on the loop ---- */

static void free_job(struct gate_job *job)
{
	list_remove(&job->flight);
	free(job->payload);
	if (job->drop)
		job->drop(job->owned);
	else
		free(job->owned);
	free(job);
}

struct gate *gate_new(struct store *store, void (*wake)(void *arg), void *arg)
{
	struct gate *g = mem_zero(sizeof *g);
	g->store = store;
	g->wake = wake;
	g->arg = arg;
	list_init(&g->queue);
	list_init(&g->finished);
	list_init(&g->flight);
	pthread_mutex_init(&g->mutex, NULL);
	pthread_cond_init(&g->is_changed, NULL);
	if (pthread_create(&g->thread, NULL, run, g) != 0)
		fatal("gate: cannot start a thread");
	return g;
}

void gate_free(struct gate **gp)
{
	struct gate *g = *gp;
	*gp = NULL;
	if (!g)
		return;
	pthread_mutex_lock(&g->mutex);
	g->is_stopping = true;
	pthread_cond_signal(&g->is_changed);
	pthread_mutex_unlock(&g->mutex);
	pthread_join(g->thread, NULL);
	list_each_safe(it, &g->flight)
	    free_job(list_entry(it, struct gate_job, flight));
	pthread_mutex_destroy(&g->mutex);
	pthread_cond_destroy(&g->is_changed);
	free(g);
}

struct gate_job *gate_job(void)
{
	struct gate_job *job = mem_zero(sizeof *job);
	list_init(&job->link);
	list_init(&job->flight);
	return job;
}

/* It is told as others are, when the loop comes to it. */
static void refuse(struct gate *g, struct gate_job *job)
{
	free(job->payload);
	job->payload = NULL;
	job->result = GATE_UNAVAILABLE;
	pthread_mutex_lock(&g->mutex);
	list_append(&g->finished, &job->link);
	pthread_mutex_unlock(&g->mutex);
	g->wake(g->arg);
}

void gate_push(struct gate *g, struct gate_job *job)
{
	bool is_full = g->n_flight >= GATE_MAX_JOBS;
	g->n_flight++;
	list_append(&g->flight, &job->flight);
	job->pushed_ms = clock_mono_ms();
	if (is_full) {
		refuse(g, job);
		return;
	}
	pthread_mutex_lock(&g->mutex);
	list_append(&g->queue, &job->link);
	pthread_cond_signal(&g->is_changed);
	pthread_mutex_unlock(&g->mutex);
}

static void tell(struct gate_job *job, enum gate_result result)
{
	job->is_told = true;
	job->done(job, result);
}

void gate_collect(struct gate *g)
{
	struct list finished, *l;
	list_init(&finished);
	pthread_mutex_lock(&g->mutex);
	move_all(&finished, &g->finished);
	pthread_mutex_unlock(&g->mutex);
	while ((l = list_shift(&finished))) {
		struct gate_job *job = list_entry(l, struct gate_job, link);
		if (!job->is_told)
			tell(job, job->result);
		g->n_flight--;
		free_job(job);
	}
}

void gate_tick(struct gate *g)
{
	int64_t late_ms = clock_mono_ms() - GATE_PATIENCE_MS;
	list_each_safe(it, &g->flight)
	{
		struct gate_job *job = list_entry(it, struct gate_job, flight);
		if (job->pushed_ms > late_ms)
			break;
		if (!job->is_told)
			tell(job, GATE_UNAVAILABLE);
	}
}

/* ---- for the keeper ---- */

struct old_claims {
	unsigned left;
	unsigned n;
	uint64_t next;
	uint8_t keys[EXPIRE_STEP][32];
};

static bool look_at(struct store_span key, struct store_span value, void *arg)
{
	struct old_claims *old = arg;
	struct claim c;
	old->next = store_number(key.data);
	if (!old->left--)
		return false;
	old->next = 0;
	if (key.len != 32 || value.len != sizeof c)
		return true;
	memcpy(&c, value.data, sizeof c);
	if (c.until_ms < clock_wall_ms())
		memcpy(old->keys[old->n++], key.data, 32);
	return true;
}

void gate_expire(struct store *store, uint64_t *cursor)
{
	struct old_claims *old = mem_zero(sizeof *old);
	struct store_key key = store_key1(*cursor);
	struct store_txn t;
	struct err err;
	old->left = EXPIRE_STEP;
	store_read(store, &t, STORE_FACTS);
	store_each(&t, TABLE_USED, key.bytes, 8, look_at, old);
	(void)store_read_end(&t, &err); /* the next round looks again */
	*cursor = old->next;
	if (old->n) {
		store_write(store, &t, STORE_FACTS);
		for (unsigned i = 0; i < old->n; i++)
			store_delete(&t, TABLE_USED, old->keys[i], 32);
		if (store_commit(&t, &err) != 0)
			log_error("%s", err.text);
	}
	free(old);
}
