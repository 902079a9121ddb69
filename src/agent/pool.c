/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agent/pool.h"

#include "base/backoff.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/loop.h"

#include <stdlib.h>

/* Processes started in one tick: each costs the loop a fraction of a ms. */
#define BATCH 4

/* One warm process. */
struct warm {
	struct list link;
	struct pool *pool;
	struct runner *runner;
};

struct pool {
	struct runner_place *place;
	size_t size;
	size_t n;
	struct list warm;
	struct loop_timer timer;
	int64_t pause_ms; /* delay of the next start; 0: no failure */
};

static void refill(struct pool *p)
{
	if (p->n < p->size)
		loop_timer_set(p->place->loop, &p->timer, p->pause_ms);
}

static void went_wrong(struct pool *p)
{
	p->pause_ms = backoff(p->pause_ms, POOL_PAUSE_MS, POOL_PAUSE_MAX_MS);
	refill(p);
}

static void drop(struct warm *w)
{
	w->pool->n--;
	list_remove(&w->link);
	free(w);
}

static void pool_on_end(void *arg, const struct runner_end *end)
{
	struct warm *w = arg;
	struct pool *p = w->pool;

	log_warn("agent pool: a waiting process ended, how=%d status=%d",
	    (int)end->how, end->status);
	runner_kill(&w->runner);
	drop(w);
	went_wrong(p);
}

/* A waiting process is not read, so only its end is noticed. */
static const struct runner_handlers handlers = {.on_end = pool_on_end};

static bool start_one(struct pool *p)
{
	struct err err;
	struct warm *w = mem_zero(sizeof *w);

	w->pool = p;
	w->runner = runner_start(p->place, &handlers, w, &err);
	if (!w->runner) {
		log_warn("agent pool: %s", err.text);
		free(w);
		return false;
	}
	list_append(&p->warm, &w->link);
	p->n++;
	return true;
}

static void on_time(void *arg)
{
	struct pool *p = arg;

	for (int i = 0; i < BATCH && p->n < p->size; i++) {
		if (!start_one(p)) {
			went_wrong(p);
			return;
		}
	}
	refill(p);
}

struct pool *pool_open(struct runner_place *place, size_t size)
{
	struct pool *p = mem_zero(sizeof *p);

	p->place = place;
	p->size = size;
	list_init(&p->warm);
	loop_timer_init(&p->timer, on_time, p);
	refill(p);
	return p;
}

struct runner *pool_take(struct pool *p)
{
	struct list *first = list_shift(&p->warm);

	if (!first)
		return NULL;
	struct warm *w = list_entry(first, struct warm, link);
	struct runner *r = w->runner;
	drop(w);
	p->pause_ms = 0; /* it lived until it was needed */
	refill(p);
	return r;
}

void pool_close(struct pool **pool)
{
	struct pool *p = *pool;

	if (!p)
		return;
	list_each_safe(link, &p->warm)
	{
		struct warm *w = list_entry(link, struct warm, link);
		runner_kill(&w->runner);
		drop(w);
	}
	loop_timer_stop(p->place->loop, &p->timer);
	free(p);
	*pool = NULL;
}
