/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "access/access_int.h"

#include "access/gate.h"
#include "base/mem.h"
#include "core/conf.h"

struct access_changing {
	struct access *access;
	struct lists_change change;
	struct lists_result result;
	struct err err;
	int rc;
	access_change_fn *fn;
	void *arg;
};

/* Runs on the gate's thread. */
static void do_change(struct gate_job *job)
{
	struct access_changing *c = job->arg;
	const struct conf *conf = c->access->setup.conf;
	c->rc = lists_change(
	    conf->co_dir, conf->address, &c->change, &c->result, &c->err);
}

static void access_change_on_changed(
    struct gate_job *job, enum gate_result result)
{
	struct access_changing *c = job->arg;
	if (result != GATE_OK) {
		/*
		 * The thread may still be working on it, and owns what it
		 * writes to.
		 */
		struct err err;
		if (result == GATE_UNAVAILABLE)
			(void)err_set(
			    &err, ERR_MISCONFIGURED, ACCESS_UNAVAILABLE);
		else
			access_busy(&err, false);
		c->fn(c->arg, NULL, &err);
		return;
	}
	c->fn(c->arg, c->rc == 0 ? &c->result : NULL,
	    c->rc == 0 ? NULL : &c->err);
}

void access_change(struct access *a, const struct lists_change *change,
    access_change_fn *fn, void *arg)
{
	struct access_changing *c = mem_zero(sizeof *c);
	struct gate_job *job = gate_job();
	c->access = a;
	c->change = *change;
	c->fn = fn;
	c->arg = arg;
	job->is_verified = true;
	job->work = do_change;
	job->done = access_change_on_changed;
	job->arg = c;
	job->owned = c;
	gate_push(a->gate, job);
}
