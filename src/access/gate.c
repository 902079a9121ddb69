/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "access/gate.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "identity/signed.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/*
 * A batch ends at either limit, so that jobs that arrived meanwhile get a turn.
 */
#define BATCH_JOBS 256
#define BATCH_BYTES ((size_t)256 * 1024)

/* The waiting jobs of one peer. It exists only while there are any. */
struct gate_queue {
	struct list link; /* in lane->turns */
	struct list jobs;
	struct gate_lane *lane;
	uint64_t name;
	size_t n;
};

/*
 * A thread, and the jobs that wait for it. The mutex guards all members except
 * gate, uses and thread.
 */
struct gate_lane {
	struct gate *gate;
	struct uses *uses; /* of the thread */
	pthread_t thread;
	pthread_cond_t is_changed;
	struct list turns;   /* queues, the next to be served first */
	struct map *queues;  /* by name */
	int64_t claiming_ms; /* start of a write to the store; 0: none */
};

enum { SMALL, LARGE, N_LANES };

struct gate {
	void (*wake)(void *arg);
	void *arg;
	pthread_mutex_t mutex;
	/* Guarded by the mutex. */
	struct gate_lane lanes[N_LANES];
	struct list finished;
	bool is_stopping;
	/* Used only by the loop. */
	struct list flight; /* all jobs that are not freed, the oldest first */
	size_t n_flight;
};

/* ---- in the thread ---- */

static void verify(struct gate_job *job)
{
	if (!job->is_verified && !signed_verify(job->key, job->signature,
				     job->payload, job->payload_len))
		job->result = GATE_INVALID;
}

static bool wants_claim(const struct gate_job *job)
{
	return job->is_claimed && job->result == GATE_OK;
}

/* Record whether the lane is writing to the store, for gate_tick(). */
static void note_claiming(struct gate_lane *lane, bool is_claiming)
{
	pthread_mutex_lock(&lane->gate->mutex);
	lane->claiming_ms = is_claiming ? clock_mono_ms() : 0;
	pthread_mutex_unlock(&lane->gate->mutex);
}

static enum gate_result result_of(const struct use *use)
{
	static const enum gate_result results[] = {
	    [USE_GRANTED] = GATE_OK,
	    [USE_REPEATED] = GATE_USED,
	    [USE_FAILED] = GATE_UNAVAILABLE,
	};
	return results[use->result];
}

/* Make the claims of all verified jobs together. */
static void claim_all(struct gate_lane *lane, struct list *batch)
{
	struct use *all[BATCH_JOBS];
	size_t n = 0;
	list_each(it, batch)
	{
		struct gate_job *job = list_entry(it, struct gate_job, link);
		if (wants_claim(job))
			all[n++] = &job->use;
	}
	if (!n)
		return;
	note_claiming(lane, true);
	uses_claim(lane->uses, all, n);
	note_claiming(lane, false);
	list_each(it, batch)
	{
		struct gate_job *job = list_entry(it, struct gate_job, link);
		if (wants_claim(job))
			job->result = result_of(&job->use);
	}
}

static void do_batch(struct gate_lane *lane, struct list *batch)
{
	list_each(it, batch) verify(list_entry(it, struct gate_job, link));
	claim_all(lane, batch);
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

/* ---- queues, under the mutex ---- */

static struct gate_queue *queue_of(struct gate_lane *lane, uint64_t name)
{
	struct gate_queue *q = map_get(lane->queues, &name, sizeof name);
	if (q)
		return q;
	q = mem_zero(sizeof *q);
	q->lane = lane;
	q->name = name;
	list_init(&q->jobs);
	list_append(&lane->turns, &q->link);
	(void)map_put(lane->queues, &name, sizeof name, q);
	return q;
}

/* The job no longer waits; an empty queue is freed. */
static void unqueue(struct gate_job *job)
{
	struct gate_queue *q = job->waits;
	list_remove(&job->link);
	job->waits = NULL;
	if (--q->n)
		return;
	list_remove(&q->link);
	(void)map_remove(q->lane->queues, &q->name, sizeof q->name);
	free(q);
}

/* Take one job of each queue in turn. */
static void take_turns(struct gate_lane *lane, struct list *batch)
{
	size_t n = 0, bytes = 0;
	while (!list_is_empty(&lane->turns) && n < BATCH_JOBS &&
	       bytes < BATCH_BYTES) {
		struct gate_queue *q = list_entry(
		    list_shift(&lane->turns), struct gate_queue, link);
		list_append(&lane->turns, &q->link);
		struct gate_job *job =
		    list_entry(q->jobs.next, struct gate_job, link);
		unqueue(job);
		list_append(batch, &job->link);
		bytes += job->payload_len;
		n++;
	}
}

/* Wait for jobs and take some. Returns false when the gate closes. */
static bool gate_take(struct gate_lane *lane, struct list *batch)
{
	struct gate *g = lane->gate;
	pthread_mutex_lock(&g->mutex);
	while (list_is_empty(&lane->turns) && !g->is_stopping)
		pthread_cond_wait(&lane->is_changed, &g->mutex);
	bool is_open = !g->is_stopping;
	if (is_open)
		take_turns(lane, batch);
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

static void *gate_run(void *arg)
{
	struct gate_lane *lane = arg;
	struct list batch;
	list_init(&batch);
	while (gate_take(lane, &batch)) {
		do_batch(lane, &batch);
		give_back(lane->gate, &batch);
	}
	return NULL;
}

/* ---- on the loop ---- */

static void open_lane(
    struct gate_lane *lane, struct gate *g, struct store *store)
{
	lane->gate = g;
	lane->uses = uses_new(store);
	lane->queues = map_new();
	list_init(&lane->turns);
	pthread_cond_init(&lane->is_changed, NULL);
	if (pthread_create(&lane->thread, NULL, gate_run, lane) != 0)
		fatal("gate: cannot start a thread");
}

struct gate *gate_new(struct store *store, void (*wake)(void *arg), void *arg)
{
	struct gate *g = mem_zero(sizeof *g);
	g->wake = wake;
	g->arg = arg;
	list_init(&g->finished);
	list_init(&g->flight);
	pthread_mutex_init(&g->mutex, NULL);
	for (int i = 0; i < N_LANES; i++)
		open_lane(&g->lanes[i], g, store);
	return g;
}

static void free_job(struct gate_job *job)
{
	if (job->waits)
		unqueue(job);
	list_remove(&job->flight);
	free(job->payload);
	if (job->drop)
		job->drop(job->owned);
	else
		free(job->owned);
	free(job);
}

static void stop_threads(struct gate *g)
{
	pthread_mutex_lock(&g->mutex);
	g->is_stopping = true;
	for (int i = 0; i < N_LANES; i++)
		pthread_cond_signal(&g->lanes[i].is_changed);
	pthread_mutex_unlock(&g->mutex);
	for (int i = 0; i < N_LANES; i++)
		pthread_join(g->lanes[i].thread, NULL);
}

void gate_free(struct gate **gp)
{
	struct gate *g = *gp;
	*gp = NULL;
	if (!g)
		return;
	stop_threads(g);
	list_each_safe(it, &g->flight)
	    free_job(list_entry(it, struct gate_job, flight));
	for (int i = 0; i < N_LANES; i++) {
		map_free(&g->lanes[i].queues);
		uses_free(&g->lanes[i].uses);
		pthread_cond_destroy(&g->lanes[i].is_changed);
	}
	pthread_mutex_destroy(&g->mutex);
	free(g);
}

struct gate_job *gate_job(void)
{
	struct gate_job *job = mem_zero(sizeof *job);
	list_init(&job->link);
	list_init(&job->flight);
	return job;
}

/* The refusal is delivered like any result, when the loop collects. */
static void gate_refuse(
    struct gate *g, struct gate_job *job, enum gate_result result)
{
	free(job->payload);
	job->payload = NULL;
	job->result = result;
	list_append(&g->finished, &job->link);
}

/* Under the mutex: queue the job. Returns false if there is no room. */
static bool enqueue(struct gate_lane *lane, struct gate_job *job)
{
	struct gate_queue *q = queue_of(lane, job->queue);
	if (q->n >= GATE_MAX_QUEUED)
		return false;
	q->n++;
	list_append(&q->jobs, &job->link);
	job->waits = q;
	return true;
}

void gate_push(struct gate *g, struct gate_job *job)
{
	struct gate_lane *lane =
	    &g->lanes[job->payload_len > GATE_LARGE_BYTES ? LARGE : SMALL];
	bool is_full = g->n_flight >= GATE_MAX_JOBS;
	bool is_queued = false;
	g->n_flight++;
	list_append(&g->flight, &job->flight);
	job->pushed_ms = clock_mono_ms();
	pthread_mutex_lock(&g->mutex);
	if (is_full)
		gate_refuse(g, job, GATE_BUSY);
	else if (enqueue(lane, job))
		is_queued = true;
	else
		gate_refuse(g, job, GATE_CROWDED);
	pthread_mutex_unlock(&g->mutex);
	/* Signalled earlier, the thread would wake to wait for the mutex. */
	if (is_queued)
		pthread_cond_signal(&lane->is_changed);
	else
		g->wake(g->arg);
}

bool gate_is_idle(struct gate *g)
{
	bool is_idle = true;
	pthread_mutex_lock(&g->mutex);
	for (int i = 0; i < N_LANES; i++)
		is_idle = is_idle && list_is_empty(&g->lanes[i].turns);
	pthread_mutex_unlock(&g->mutex);
	return is_idle;
}

static void gate_tell(struct gate_job *job, enum gate_result result)
{
	job->is_told = true;
	job->done(job, result);
}

static void gate_finish(struct gate *g, struct gate_job *job)
{
	g->n_flight--;
	free_job(job);
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
			gate_tell(job, job->result);
		gate_finish(g, job);
	}
}

/* Under the mutex: whether a lane waits too long for the store. */
static bool is_stuck(const struct gate *g)
{
	int64_t late_ms = clock_mono_ms() - GATE_PATIENCE_MS / 2;
	for (int i = 0; i < N_LANES; i++)
		if (g->lanes[i].claiming_ms &&
		    g->lanes[i].claiming_ms <= late_ms)
			return true;
	return false;
}

/* Returns whether the job had not begun; then it never will. */
static bool take_back(struct gate *g, struct gate_job *job, bool *store_is_slow)
{
	pthread_mutex_lock(&g->mutex);
	bool is_waiting = job->waits != NULL;
	if (is_waiting)
		unqueue(job);
	*store_is_slow = is_stuck(g);
	pthread_mutex_unlock(&g->mutex);
	return is_waiting;
}

void gate_tick(struct gate *g)
{
	int64_t late_ms = clock_mono_ms() - GATE_PATIENCE_MS;
	list_each_safe(it, &g->flight)
	{
		struct gate_job *job = list_entry(it, struct gate_job, flight);
		bool store_is_slow;
		if (job->pushed_ms > late_ms)
			break;
		if (job->is_told)
			continue;
		bool is_over = take_back(g, job, &store_is_slow);
		if (!is_over && job->is_claimed)
			store_is_slow = true; /* nothing else takes time */
		gate_tell(job, store_is_slow ? GATE_UNAVAILABLE : GATE_BUSY);
		if (is_over)
			gate_finish(g, job);
	}
}
