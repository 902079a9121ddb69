/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "access/access_int.h"

#include "base/clock.h"
#include "base/mem.h"
#include "core/conf.h"
#include "proc/crew.h"

#include <stdlib.h>

struct access_changing {
	struct crew_job job;
	struct list link;
	struct access *access;
	struct lists_change change;
	struct lists_result result;
	struct err err;
	int rc;
	int64_t asked_ms;
	bool is_told;
	access_change_fn *fn;
	void *arg;
};

static struct access_changing *changing_of(struct list *l)
{
	return list_entry(l, struct access_changing, link);
}

static void access_change_free(struct access_changing *c)
{
	list_remove(&c->link);
	free(c);
}

/* Runs on the crew's thread. */
static void access_change_run(struct crew_job *job)
{
	struct access_changing *c =
	    list_entry(job, struct access_changing, job);
	const struct conf *conf = c->access->setup.conf;
	c->rc = lists_change(
	    conf->co_dir, conf->address, &c->change, &c->result, &c->err);
}

static void access_change_on_done(struct crew_job *job)
{
	struct access_changing *c =
	    list_entry(job, struct access_changing, job);
	bool is_good = c->rc == 0;
	if (!c->is_told && !crew_is_closing(c->access->changer))
		c->fn(c->arg, is_good ? &c->result : NULL,
		    is_good ? NULL : &c->err);
	access_change_free(c);
}

/* The thread may still be working on it, and owns what it writes to. */
static void tell_busy(struct access_changing *c)
{
	struct err err;
	access_busy(&err, false);
	c->is_told = true;
	c->fn(c->arg, NULL, &err);
}

void access_change(struct access *a, const struct lists_change *change,
    access_change_fn *fn, void *arg)
{
	struct access_changing *c = mem_zero(sizeof *c);
	c->job = (struct crew_job){
	    .run = access_change_run, .done = access_change_on_done};
	c->access = a;
	c->change = *change;
	c->asked_ms = clock_mono_ms();
	c->fn = fn;
	c->arg = arg;
	if (crew_run(a->changer, &c->job)) {
		list_append(&a->changes, &c->link);
	} else {
		list_append(&a->refused, &c->link);
		a->setup.wake(a->setup.arg);
	}
}

void access_changes_open(struct access *a)
{
	list_init(&a->changes);
	list_init(&a->refused);
	a->changer =
	    crew_open(1, ACCESS_MAX_CHANGES, a->setup.wake, a->setup.arg);
}

void access_changes_collect(struct access *a)
{
	struct list refused, *l;
	crew_collect(a->changer);
	list_init(&refused);
	while ((l = list_shift(&a->refused)))
		list_append(&refused, l);
	while ((l = list_shift(&refused))) {
		tell_busy(changing_of(l));
		access_change_free(changing_of(l));
	}
}

void access_changes_tick(struct access *a)
{
	int64_t late_ms = clock_mono_ms() - ACCESS_CHANGE_MS;
	list_each_safe(it, &a->changes)
	{
		struct access_changing *c = changing_of(it);
		if (c->asked_ms > late_ms)
			break;
		if (c->is_told)
			continue;
		bool is_over = crew_cancel(a->changer, &c->job);
		tell_busy(c);
		if (is_over)
			access_change_free(c);
	}
}

void access_changes_close(struct access *a)
{
	crew_close(&a->changer);
	list_each_safe(it, &a->refused) access_change_free(changing_of(it));
}
