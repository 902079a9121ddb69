/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agent/solo.h"

#include "agent/pool.h"
#include "base/mem.h"
#include "core/agent.h"

#include <stdio.h>
#include <stdlib.h>

/* The channel of a turn with a process of its own. */
struct solo_turn {
	struct channel base;
	struct runner *runner;
};

/* ---- the process ---- */

static void solo_on_output(void *arg, const char *data, size_t len)
{
	struct solo_turn *t = arg;

	t->base.handlers.on_output(t->base.arg, data, len);
}

static void solo_on_complaint(void *arg, const char *text, size_t len)
{
	struct solo_turn *t = arg;

	t->base.handlers.on_complaint(t->base.arg, text, len);
}

static void solo_on_end(void *arg, const struct runner_end *end)
{
	struct solo_turn *t = arg;
	char how[64], detail[128];
	bool is_exit = end->how == RUNNER_EXITED;
	enum err_reason reason = runner_reason(end, how, sizeof how);

	(void)snprintf(detail, sizeof detail, "%s%s",
	    is_exit ? "ended without OUTPUT: " : "", how);
	t->base.handlers.on_end(
	    t->base.arg, &(struct channel_end){
			     .reason = reason,
			     .detail = detail,
			     .is_success = is_exit && end->status == 0,
			 });
}

static const struct runner_handlers runner_handlers = {
    .on_output = solo_on_output,
    .on_complaint = solo_on_complaint,
    .on_end = solo_on_end,
};

/* ---- the channel ---- */

static struct solo_turn *turn_of(struct channel *c)
{
	return (struct solo_turn *)(void *)c;
}

static bool solo_write(
    struct channel *c, const void *lines, size_t n, size_t limit)
{
	return runner_write(turn_of(c)->runner, lines, n, limit);
}

static void solo_pause(struct channel *c, bool is_paused)
{
	runner_pause(turn_of(c)->runner, is_paused);
}

static void solo_retire(struct channel *c)
{
	runner_retire(&turn_of(c)->runner);
	free(c);
}

static void solo_kill(struct channel *c)
{
	runner_kill(&turn_of(c)->runner);
	free(c);
}

static const struct channel_ops solo_ops = {
    .write = solo_write,
    .pause = solo_pause,
    .retire = solo_retire,
    .kill = solo_kill,
};

static struct channel *solo_open(struct channels *all,
    const struct channel_handlers *handlers, void *arg, struct err *err)
{
	struct solo *s = (struct solo *)(void *)all;
	struct solo_turn *t = mem_zero(sizeof *t);

	t->base = (struct channel){&solo_ops, *handlers, arg};
	t->runner = pool_take(s->pool);
	if (!t->runner)
		t->runner = runner_start(&s->place, &runner_handlers, t, err);
	if (!t->runner) {
		free(t);
		return NULL;
	}
	runner_claim(t->runner, &runner_handlers, t);
	return &t->base;
}

int64_t solo_descriptors(const struct agent_spec *spec)
{
	return (spec->turns + spec->pool) * RUNNER_DESCRIPTORS;
}

void solo_init(struct solo *s, const struct agent_setup *setup,
    struct source *source, size_t n_warm)
{
	*s = (struct solo){
	    .base = {solo_open},
	    .place = {.loop = setup->loop,
		.crew = setup->crew,
		.source = source},
	};
	list_init(&s->place.all);
	s->pool = pool_open(&s->place, n_warm);
}

void solo_fini(struct solo *s)
{
	pool_close(&s->pool);
	runner_clear(&s->place);
}
