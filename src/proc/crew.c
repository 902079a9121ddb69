/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "proc/crew.h"

#include "base/log.h"
#include "base/mem.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

struct crew {
	pthread_mutex_t mutex; /* guards the members below except n_jobs */
	pthread_cond_t is_changed;
	struct list waiting;
	struct list finished;
	bool is_closing;
	void (*wake)(void *arg);
	void *arg;
	size_t n_jobs; /* waiting, running or finished; loop's thread only */
	size_t most;
	unsigned n_threads;
	pthread_t threads[];
};

static struct crew_job *job_of(struct list *l)
{
	return list_entry(l, struct crew_job, link);
}

/* Returns the next job, or NULL when the crew closes. */
static struct crew_job *next_job(struct crew *c)
{
	pthread_mutex_lock(&c->mutex);
	while (list_is_empty(&c->waiting) && !c->is_closing)
		pthread_cond_wait(&c->is_changed, &c->mutex);
	struct list *l = c->is_closing ? NULL : list_shift(&c->waiting);
	if (l)
		job_of(l)->is_waiting = false;
	pthread_mutex_unlock(&c->mutex);
	return l ? job_of(l) : NULL;
}

static void crew_finish(struct crew *c, struct crew_job *job)
{
	pthread_mutex_lock(&c->mutex);
	list_append(&c->finished, &job->link);
	pthread_mutex_unlock(&c->mutex);
	c->wake(c->arg);
}

static void *work(void *arg)
{
	struct crew *c = arg;
	struct crew_job *job;
	while ((job = next_job(c))) {
		job->run(job);
		crew_finish(c, job);
	}
	return NULL;
}

/* ---- on the loop ---- */

static struct list *take_finished(struct crew *c)
{
	pthread_mutex_lock(&c->mutex);
	struct list *l = list_shift(&c->finished);
	pthread_mutex_unlock(&c->mutex);
	return l;
}

void crew_collect(struct crew *c)
{
	struct list *l;
	while ((l = take_finished(c))) {
		c->n_jobs--;
		job_of(l)->done(job_of(l));
	}
}

static void start_threads(struct crew *c)
{
	sigset_t all, old;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	for (unsigned i = 0; i < c->n_threads; i++)
		if (pthread_create(&c->threads[i], NULL, work, c) != 0)
			fatal("crew: cannot start a thread");
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
}

struct crew *crew_open(
    unsigned threads, size_t most, void (*wake)(void *arg), void *arg)
{
	struct crew *c = mem_zero(sizeof *c + threads * sizeof c->threads[0]);
	pthread_mutex_init(&c->mutex, NULL);
	pthread_cond_init(&c->is_changed, NULL);
	list_init(&c->waiting);
	list_init(&c->finished);
	c->wake = wake;
	c->arg = arg;
	c->most = most;
	c->n_threads = threads;
	start_threads(c);
	return c;
}

bool crew_run(struct crew *c, struct crew_job *job)
{
	if (c->n_jobs >= c->most || c->is_closing)
		return false;
	c->n_jobs++;
	pthread_mutex_lock(&c->mutex);
	list_append(&c->waiting, &job->link);
	job->is_waiting = true;
	pthread_cond_signal(&c->is_changed);
	pthread_mutex_unlock(&c->mutex);
	return true;
}

bool crew_cancel(struct crew *c, struct crew_job *job)
{
	pthread_mutex_lock(&c->mutex);
	bool is_ours = job->is_waiting;
	if (is_ours)
		list_remove(&job->link);
	job->is_waiting = false;
	pthread_mutex_unlock(&c->mutex);
	c->n_jobs -= is_ours;
	return is_ours;
}

bool crew_is_closing(const struct crew *c)
{
	return c->is_closing; /* written on the loop's thread only */
}

static void stop_threads(struct crew *c)
{
	pthread_mutex_lock(&c->mutex);
	c->is_closing = true;
	pthread_cond_broadcast(&c->is_changed);
	pthread_mutex_unlock(&c->mutex);
	for (unsigned i = 0; i < c->n_threads; i++)
		(void)pthread_join(c->threads[i], NULL); /* it was started */
}

void crew_close(struct crew **cp)
{
	struct crew *c = *cp;
	struct list *l;
	if (!c)
		return;
	stop_threads(c);
	while ((l = list_shift(&c->waiting)))
		list_append(&c->finished, l);
	crew_collect(c);
	pthread_cond_destroy(&c->is_changed);
	pthread_mutex_destroy(&c->mutex);
	*cp = NULL;
	free(c);
}
