/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agent/fleet.h"

#include "agent/loading.h"
#include "agent/mux.h"
#include "agent/mux_turn.h"
#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/stat.h"
#include "net/loop.h"
#include "runner/runner.h"

#include <stdio.h>
#include <stdlib.h>

/*
 * A process that lived this long, or had a turn, is replaced at once: it did
 * not die of the same cause as the one before.
 */
#define HEALTHY_MS 60000

/* Processes started in one tick: each costs the loop a fraction of a ms. */
#define BATCH 4

/* After this, the log says that turns wait. */
#define SLOW_MS 30000

enum member_state {
	MEMBER_LOADING,
	MEMBER_SERVING,
	MEMBER_LEAVING, /* it gets no further turn */
};

/* One process. */
struct member {
	struct list link;
	struct fleet *fleet;
	struct mux *mux;
	char name[32]; /* for the log: "agent process 3" */
	enum member_state state;
	int64_t started_ms;
	struct loop_timer slow;
	struct loading loading;
	bool has_begun; /* a turn */
	bool is_worn;	/* it asked to be replaced */
	bool is_second; /* the one before it was killed while it loaded */
};

struct fleet {
	struct channels base;
	struct runner_place place;
	struct mux_setup mux;
	size_t size;
	struct list members;
	unsigned last_id;
	struct mux_queue waiting;
	/* While one process is replaced: it, and the one that loads. */
	struct member *worn, *successor;
	struct loop_timer retry;
	int64_t pause_ms;
	struct loading_past past;
	bool is_loaded; /* the agent was, by some process */
	bool is_broken; /* it could not be loaded lately */
	bool is_draining;
	void (*on_ready)(void *arg, const char *json, size_t len);
	void *arg;
};

static struct member *member_of(struct list *link)
{
	return list_entry(link, struct member, link);
}

static size_t count(const struct fleet *f, enum member_state state)
{
	size_t n = 0;

	list_each(it, &f->members) n += member_of(it)->state == state;
	return n;
}

/* ---- turns ---- */

/* Returns the ready process with the fewest turns, in turn; NULL if none is. */
static struct member *choose(const struct fleet *f)
{
	struct member *best = NULL;

	list_each(it, &f->members)
	{
		struct member *m = member_of(it);
		if (m->state == MEMBER_SERVING && mux_is_open(m->mux) &&
		    (!best || mux_load(m->mux) < mux_load(best->mux)))
			best = m;
	}
	return best;
}

static void begin(struct member *m, struct mux_turn *t)
{
	m->has_begun = true;
	list_remove(&m->link);
	list_append(&m->fleet->members, &m->link);
	mux_begin(m->mux, t);
}

static void begin_waiting(struct fleet *f)
{
	struct mux_turn *t;
	struct member *m;

	while ((m = choose(f)) && (t = mux_queue_take(&f->waiting)))
		begin(m, t);
}

static void refuse_waiting(struct fleet *f)
{
	struct mux_turn *t;

	while ((t = mux_queue_take(&f->waiting))) {
		stat_add(agent_refused, 1);
		mux_refuse(
		    t, REASON_SPAWN, "the agent cannot be loaded: see the log");
	}
}

/* ---- starting and replacing ---- */

/* A successor whose predecessor is gone is a process like any other. */
static void forget_replacing(struct fleet *f)
{
	f->worn = f->successor = NULL;
}

static void start_later(struct fleet *f)
{
	if (f->retry.heap_at || f->is_draining)
		return;
	f->pause_ms = backoff(f->pause_ms, FLEET_PAUSE_MS, FLEET_PAUSE_MAX_MS);
	loop_timer_set(f->place.loop, &f->retry, f->pause_ms);
}

/* Forget earlier failures: the next start is not delayed. */
static void retry_now(struct fleet *f)
{
	loop_timer_stop(f->place.loop, &f->retry);
	f->pause_ms = 0;
}

static void log_failure(const struct member *m, const char *why)
{
	const struct fleet *f = m->fleet;

	log_warn(
	    "%s: cannot load the agent: %s; it is tried again, at intervals of "
	    "up to %d s while this goes on, which is not logged each time",
	    m->name, why, FLEET_PAUSE_MAX_MS / 1000);
	if (m == f->successor)
		log_warn("%s: cannot be replaced, and goes on serving with the "
			 "code that it has loaded",
		    f->worn->name);
}

/* It ended before it had loaded the agent, or could not be started. */
static void failed(struct member *m, const char *why)
{
	struct fleet *f = m->fleet;

	if (loading_failed(&m->loading, why))
		log_failure(m, why);
	if (m == f->successor) {
		forget_replacing(f);
	} else if (!count(f, MEMBER_SERVING)) {
		f->is_broken = true;
		refuse_waiting(f);
	}
	start_later(f);
}

static void on_slow(void *arg)
{
	struct member *m = arg;

	loading_show(&m->loading);
	log_warn("%s: not READY after %d s; %zu turns wait: it is still "
		 "loading, or never writes this frame (co-agent(7))",
	    m->name, SLOW_MS / 1000, m->fleet->waiting.n);
}

static void forget(struct member *m)
{
	loop_timer_stop(m->fleet->place.loop, &m->slow);
	list_remove(&m->link);
	loading_fini(&m->loading);
	free(m);
}

static const struct mux_handlers member_handlers;

/* Start a process, as the successor of the worn one or not. */
static struct member *start(struct fleet *f, bool is_successor)
{
	struct member *m = mem_zero(sizeof *m);
	struct err err;

	m->fleet = f;
	(void)snprintf(m->name, sizeof m->name, "%s process %u", f->past.role,
	    ++f->last_id);
	m->started_ms = clock_mono_ms();
	loop_timer_init(&m->slow, on_slow, m);
	loading_begin(&m->loading, &f->past);
	list_append(&f->members, &m->link);
	if (is_successor)
		f->successor = m;
	m->mux = mux_start(&f->mux, &member_handlers, m, &err);
	if (!m->mux) {
		failed(m, err.text);
		forget(m);
		return NULL;
	}
	loop_timer_set(f->place.loop, &m->slow, SLOW_MS);
	return m;
}

static struct member *find_worn(const struct fleet *f)
{
	list_each(it, &f->members)
	{
		struct member *m = member_of(it);
		if (m->is_worn && m->state == MEMBER_SERVING)
			return m;
	}
	return NULL;
}

/* Start the successor of a process that asked for one. */
static void replace(struct fleet *f)
{
	if (f->worn || f->is_draining ||
	    count(f, MEMBER_LEAVING) >= FLEET_LEAVING_MAX)
		return;
	f->worn = find_worn(f);
	if (!f->worn)
		return;
	if (start(f, true) && !f->past.n_failed)
		log_info("%s: starts in place of %s", f->successor->name,
		    f->worn->name);
}

/* It was killed while it loaded: load once more. */
static void try_again(struct fleet *f, bool is_successor)
{
	struct member *m = start(f, is_successor);

	if (!m)
		return;
	m->is_second = true;
	log_info("%s: starts in place of one that was killed while it loaded",
	    m->name);
}

static size_t wanted(const struct fleet *f)
{
	return f->is_draining ? f->waiting.n > 0 : f->size;
}

/* Start what is missing. */
static void fill(struct fleet *f)
{
	size_t n = count(f, MEMBER_SERVING) + count(f, MEMBER_LOADING) -
		   (f->successor != NULL);

	for (int i = 0; n < wanted(f); i++, n++) {
		if (i == BATCH) {
			loop_timer_set(f->place.loop, &f->retry, 0);
			return;
		}
		if (!start(f, false))
			return;
	}
	replace(f);
}

static void on_retry(void *arg)
{
	fill(arg);
}

/* It gets no further turn. It may be gone afterwards. */
static void leave(struct member *m)
{
	m->state = MEMBER_LEAVING;
	mux_leave(m->mux);
}

/* ---- what processes report ---- */

static void member_on_complaint(void *arg, const char *text, size_t len)
{
	struct member *m = arg;

	if (m->state == MEMBER_LOADING)
		loading_hear(&m->loading, text, len);
	else
		log_info("%s: %.*s", m->fleet->past.role, (int)len, text);
}

static void log_ready(struct member *m)
{
	unsigned n = loading_succeeded(&m->loading);

	if (n)
		log_info(
		    "%s: ready, after %u failed attempts to load the agent",
		    m->name, n);
	else
		log_info("%s: ready", m->name);
}

static void member_on_ready(void *arg, const char *json, size_t len)
{
	struct member *m = arg, *worn;
	struct fleet *f = m->fleet;

	if (f->on_ready)
		f->on_ready(f->arg, json, len);
	if (m->state != MEMBER_LOADING)
		return;
	log_ready(m);
	loading_fini(&m->loading);
	loop_timer_stop(f->place.loop, &m->slow);
	m->state = MEMBER_SERVING;
	f->is_loaded = true;
	f->is_broken = false;
	begin_waiting(f);
	if (f->is_draining) {
		leave(m);
		return;
	}
	worn = m == f->successor ? f->worn : NULL;
	if (worn) {
		stat_add(agent_replaced, 1);
		forget_replacing(f);
		leave(worn);
	}
	replace(f);
}

static void member_on_retire(void *arg, const char *why, size_t len)
{
	struct member *m = arg;
	struct fleet *f = m->fleet;

	if (m->state != MEMBER_SERVING)
		return;
	log_info("%s: asks to be replaced: %.*s", m->name, (int)len, why);
	m->is_worn = true;
	/* What made an earlier attempt fail may be what has changed. */
	retry_now(f);
	loading_forget(&f->past);
	fill(f);
}

/* It cannot serve until its successor does. */
static void replace_now(struct member *m)
{
	struct fleet *f = m->fleet;

	if (m->state != MEMBER_LEAVING) {
		stat_add(agent_replaced, 1);
		if (m == f->worn)
			forget_replacing(f);
		m->state = MEMBER_LEAVING;
		fill(f);
	}
	leave(m);
}

static void member_on_fault(void *arg, const char *why)
{
	struct member *m = arg;

	log_warn("%s: %s; it is replaced; while it lives, its other turns have "
		 "drain_timeout to end",
	    m->name, why);
	replace_now(m);
}

static void member_on_full(void *arg)
{
	struct member *m = arg;

	if (m->state != MEMBER_LEAVING)
		log_warn("%s: cannot begin a turn; it is replaced, and its "
			 "other turns go on",
		    m->name);
	replace_now(m);
}

static void served(struct fleet *f, const struct member *m)
{
	bool is_healthy =
	    m->has_begun || clock_mono_ms() - m->started_ms > HEALTHY_MS;

	stat_add(agent_replaced, 1);
	if (m == f->worn)
		forget_replacing(f);
	if (is_healthy)
		retry_now(f);
	else
		start_later(f);
}

/*
 * Whether something other than the program ended it while it loaded, such as
 * the kernel when memory ran out. When that happens again, the agent is its
 * cause.
 */
static bool deserves_another(const struct member *m, const struct mux_end *end)
{
	const struct fleet *f = m->fleet;
	bool is_needed = !f->is_draining || f->waiting.n;

	return !m->is_second && is_needed &&
	       (end->reason == REASON_KILLED || end->reason == REASON_MEMORY);
}

static void log_end(const struct member *m, const struct mux_end *end)
{
	if (end->n_lost)
		log_warn("%s: gone: %s; turns interrupted: %zu", m->name,
		    end->why, end->n_lost);
	else
		(m->state == MEMBER_LEAVING ? log_info : log_warn)(
		    "%s: gone: %s", m->name, end->why);
}

static void member_on_end(void *arg, const struct mux_end *end)
{
	struct member *m = arg;
	struct fleet *f = m->fleet;
	enum member_state state = m->state;
	bool is_successor = m == f->successor;
	bool is_chance = state == MEMBER_LOADING && deserves_another(m, end);

	if (state != MEMBER_LOADING || is_chance)
		log_end(m, end);
	if (is_chance)
		loading_show(&m->loading);
	else if (state == MEMBER_LOADING)
		failed(m, end->why);
	else if (state == MEMBER_SERVING)
		served(f, m);
	forget(m);
	if (is_chance)
		try_again(f, is_successor);
	else if (state != MEMBER_LOADING && !f->retry.heap_at)
		fill(f);
}

static const struct mux_handlers member_handlers = {
    .on_complaint = member_on_complaint,
    .on_ready = member_on_ready,
    .on_retire = member_on_retire,
    .on_fault = member_on_fault,
    .on_full = member_on_full,
    .on_end = member_on_end,
};

/* ---- use ---- */

static bool may_wait(const struct fleet *f, struct err *err)
{
	if (f->is_broken)
		(void)err_set(
		    err, ERR_AGENT, "the agent cannot be loaded: see the log");
	else if (f->waiting.n >= FLEET_WAITING_MAX)
		(void)err_set(err, ERR_AGENT,
		    "%d turns wait for the agent to be loaded",
		    FLEET_WAITING_MAX);
	else
		return true;
	stat_add(agent_refused, 1);
	return false;
}

static struct channel *fleet_open_channel(struct channels *all,
    const struct channel_handlers *handlers, void *arg, struct err *err)
{
	struct fleet *f = (struct fleet *)(void *)all;
	struct member *m = choose(f);

	if (!m && !may_wait(f, err))
		return NULL;
	struct mux_turn *t = mux_turn(handlers, arg);
	if (m) {
		begin(m, t);
	} else {
		mux_queue_add(&f->waiting, t);
		if (f->is_draining)
			fill(f);
	}
	return &t->base;
}

static size_t size_of(const struct agent_spec *spec)
{
	return spec->pool > 0 ? (size_t)spec->pool : 1;
}

int64_t fleet_descriptors(const struct agent_spec *spec)
{
	return (int64_t)(size_of(spec) + 1 + FLEET_LEAVING_MAX) *
	       RUNNER_DESCRIPTORS;
}

struct fleet *fleet_open(const struct fleet_setup *setup)
{
	const struct agent_setup *agent = setup->agent;
	const struct agent_spec *spec = &agent->spec;
	struct fleet *f = mem_zero(sizeof *f);

	f->base.open = fleet_open_channel;
	f->place = (struct runner_place){
	    .loop = agent->loop,
	    .crew = agent->crew,
	    .source = setup->source,
	    .has_sockets = true,
	};
	list_init(&f->place.all);
	f->mux = (struct mux_setup){
	    .place = &f->place,
	    .line_bytes = (size_t)spec->line_bytes,
	    .turn_processes = setup->turn_processes,
	    .grace_ms = spec->interrupt_grace_ms,
	    .deadline_ms = spec->drain_timeout_ms,
	    .hang_ms = spec->hang_timeout_ms,
	};
	f->size = size_of(spec);
	f->past.role = spec->role;
	f->on_ready = setup->on_ready;
	f->arg = setup->arg;
	list_init(&f->members);
	mux_queue_init(&f->waiting);
	loop_timer_init(&f->retry, on_retry, f);
	fill(f);
	return f;
}

struct channels *fleet_channels(struct fleet *f)
{
	return &f->base;
}

enum agent_load fleet_load(const struct fleet *f)
{
	if (f->is_broken)
		return AGENT_BROKEN;
	return f->is_loaded ? AGENT_LOADED : AGENT_LOADING;
}

void fleet_drain(struct fleet *f)
{
	f->is_draining = true;
	forget_replacing(f);
	loop_timer_stop(f->place.loop, &f->retry);
	list_each_safe(it, &f->members)
	{
		struct member *m = member_of(it);
		if (m->state == MEMBER_SERVING ||
		    (m->state == MEMBER_LOADING && !f->waiting.n))
			leave(m);
	}
}

void fleet_close(struct fleet **fleet)
{
	struct fleet *f = *fleet;

	*fleet = NULL;
	if (!f)
		return;
	loop_timer_stop(f->place.loop, &f->retry);
	while (mux_queue_take(&f->waiting))
		;
	list_each_safe(it, &f->members)
	{
		struct member *m = member_of(it);
		mux_free(&m->mux);
		forget(m);
	}
	loading_forget(&f->past);
	runner_clear(&f->place);
	free(f);
}
