/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "master/generations.h"

#include "base/clock.h"
#include "base/log.h"
#include "core/agent.h"
#include "core/err.h"
#include "master/children.h"
#include "master/handover.h"
#include "master/master_int.h"
#include "master/notify.h"

#include <string.h>
#include <unistd.h>

static bool listens(const struct master *m, unsigned kind)
{
	return m->setup->kinds[kind].flags & PROCESS_LISTENS;
}

void generations_fit(struct master *m, struct master_plan *plan)
{
	unsigned most = m->children.n_slots / 2 - 1, n = 0, cut;
	for (unsigned kind = 1; kind < m->setup->n_kinds; kind++)
		n += plan->want[kind];
	for (unsigned kind = 1; kind < m->setup->n_kinds && n > most; kind++) {
		if (!listens(m, kind))
			continue;
		cut = n - most < plan->want[kind] ? n - most
						  : plan->want[kind] - 1;
		plan->want[kind] -= cut;
		n -= cut;
		log_warn("reload: there are %u processes of kind %s, not %u, "
			 "until a restart: all slots are taken",
		    plan->want[kind], m->setup->kinds[kind].name,
		    plan->want[kind] + cut);
	}
}

struct generation generations_new(struct master *m)
{
	struct generation g = {
	    .epoch = atomic_fetch_add(&m->heritage->epoch, 1) + 1,
	    .conf_fd = m->plan.conf_fd,
	};
	memcpy(g.want, m->plan.want, sizeof g.want);
	return g;
}

static void fill_kind(struct master *m, struct generation *g, unsigned kind)
{
	while (
	    children_count(&m->children, kind, g->epoch, false) < g->want[kind])
		if (!children_start(&m->children, g, kind))
			return;
}

/* Start the processes that a generation lacks, in the order of the stages. */
static void fill(struct master *m, struct generation *g, unsigned last_stage)
{
	for (unsigned stage = 1; stage <= last_stage; stage++)
		for (unsigned kind = 1; kind < m->setup->n_kinds; kind++)
			if (m->setup->kinds[kind].stage == stage)
				fill_kind(m, g, kind);
}

void generations_keep_up(struct master *m)
{
	if (m->phase >= PHASE_LEAVING)
		return;
	struct generation *newest = &m->children.newest;
	struct generation *old = &m->children.serving;
	fill(m, newest, m->stage);
	/*
	 * The newest generation may never serve, so keep the old one complete.
	 */
	if (old->epoch && old->epoch != newest->epoch)
		fill(m, old, PROCESS_STAGES);
}

unsigned generations_listening(const struct master *m)
{
	unsigned n = 0;
	for (unsigned kind = 1; kind < m->setup->n_kinds; kind++)
		if (listens(m, kind))
			n += m->plan.want[kind];
	return n;
}

bool generations_accept(const struct master *m)
{
	unsigned n = 0;
	for (unsigned kind = 1; kind < m->setup->n_kinds; kind++)
		if (listens(m, kind))
			n += children_count(&m->children, kind, 0, true);
	return n || !generations_listening(m);
}

void generations_drain_old(struct master *m)
{
	for (unsigned i = 0; i < m->children.n_slots; i++) {
		const struct child *c = &m->children.child[i];
		if (c->pid && !c->is_leaving && c->epoch != master_epoch(m) &&
		    c->epoch != master_serving(m))
			children_drain(
			    &m->children, i, false, master_drain_ms(m));
	}
}

void generations_settle(struct master *m)
{
	struct children *c = &m->children;
	if (master_serving(m))
		close(c->serving.conf_fd);
	c->serving = c->newest;
	m->serving_plan = m->plan;
	atomic_store(&m->heritage->listening, generations_listening(m));
}

bool generations_cannot_load(const struct master *m)
{
	for (unsigned i = 0; i < m->children.n_slots; i++) {
		const struct child *c = &m->children.child[i];
		if (c->pid && c->epoch == master_epoch(m) && !c->is_ready &&
		    atomic_load(&m->heritage->slots[i].load) == AGENT_BROKEN)
			return true;
	}
	return false;
}

void generations_give_up(struct master *m)
{
	struct children *c = &m->children;
	log_error("reload: the agent cannot be loaded; still serving with the "
		  "old settings");
	close(c->newest.conf_fd);
	c->newest = c->serving;
	m->plan = m->serving_plan;
	generations_drain_old(m);
	notify_state("READY=1");
}

bool generations_are_complete(const struct master *m)
{
	const struct generation *g = &m->children.newest;
	for (unsigned kind = 1; kind < m->setup->n_kinds; kind++)
		if (m->setup->kinds[kind].stage <= m->stage &&
		    children_count(&m->children, kind, g->epoch, true) <
			g->want[kind])
			return false;
	return true;
}

/* ---- their number ---- */

/* Only a generation that serves, and is the newest, changes its size. */
static bool may_resize(const struct master *m, const char *signal)
{
	bool may = m->phase == PHASE_SERVING &&
		   master_serving(m) == master_epoch(m) && !m->heir;
	if (!may)
		log_warn("%s: ignored while starting, reloading, upgrading or "
			 "stopping",
		    signal);
	return may;
}

static void set_want(struct master *m, unsigned kind, unsigned want)
{
	m->plan.want[kind] = want;
	m->serving_plan.want[kind] = want;
	m->children.newest.want[kind] = want;
	m->children.serving.want[kind] = want;
}

static void tell_size(const struct master *m, const char *signal)
{
	unsigned n = generations_listening(m);
	log_info("%s: %u worker%s from now on", signal, n, n == 1 ? "" : "s");
}

/* Drain the youngest ones of a kind until as many as wanted are left. */
static void drain_surplus(struct master *m, unsigned kind)
{
	struct children *c = &m->children;
	unsigned n = children_count(c, kind, master_epoch(m), false);
	for (; n > m->plan.want[kind]; n--) {
		int youngest = -1;
		for (int i = 0; i < (int)c->n_slots; i++) {
			const struct child *child = &c->child[i];
			if (child->pid && child->kind == kind &&
			    child->epoch == master_epoch(m) &&
			    !child->is_leaving &&
			    (youngest < 0 ||
				child->born_ms >= c->child[youngest].born_ms))
				youngest = i;
		}
		children_drain(
		    c, (unsigned)youngest, false, master_drain_ms(m));
	}
}

void generations_add(struct master *m)
{
	unsigned most = m->children.n_slots / 2 - 1, n = 0;
	if (!may_resize(m, "TTIN"))
		return;
	for (unsigned kind = 1; kind < m->setup->n_kinds; kind++)
		n += m->plan.want[kind];
	for (unsigned kind = 1; kind < m->setup->n_kinds; kind++)
		if (listens(m, kind) && n++ < most)
			set_want(m, kind, m->plan.want[kind] + 1);
		else if (listens(m, kind))
			log_warn("TTIN: no more %ss until a restart: all slots "
				 "are taken",
			    m->setup->kinds[kind].name);
	tell_size(m, "TTIN");
}

void generations_remove(struct master *m)
{
	if (!may_resize(m, "TTOU"))
		return;
	for (unsigned kind = 1; kind < m->setup->n_kinds; kind++) {
		if (!listens(m, kind) || m->plan.want[kind] <= 1)
			continue;
		set_want(m, kind, m->plan.want[kind] - 1);
		drain_surplus(m, kind);
	}
	tell_size(m, "TTOU");
}

void generations_idle(struct master *m)
{
	if (!may_resize(m, "WINCH"))
		return;
	for (unsigned kind = 1; kind < m->setup->n_kinds; kind++) {
		if (!listens(m, kind))
			continue;
		set_want(m, kind, 0);
		drain_surplus(m, kind);
	}
	tell_size(m, "WINCH");
}

void generations_reload(struct master *m)
{
	struct master_plan fresh = {.conf_fd = -1};
	struct err err;
	if (m->phase != PHASE_SERVING) {
		log_warn("reload: ignored while starting or stopping");
		return;
	}
	if (m->heir || handover_is_due()) {
		log_warn("reload: ignored while an upgrade is under way");
		return;
	}
	notify_state(
	    "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clock_mono_us());
	if (m->setup->reload(&fresh, &err) != 0) {
		log_error("reload: %s; still serving with the old settings",
		    err.text);
		notify_state("READY=1");
		return;
	}
	generations_fit(m, &fresh);
	m->plan = fresh;
	if (master_serving(m) != master_epoch(m))
		close(m->children.newest.conf_fd);
	m->children.newest = generations_new(m);
	/* Such as a generation that never came to serve. */
	generations_drain_old(m);
	log_info("reload: starting generation %u", master_epoch(m));
}
