/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/buf.h"
#include "base/map.h"
#include "base/mem.h"
#include "core/agent.h"
#include "core/agent_dir.h"
#include "core/conf.h"
#include "core/heritage.h"
#include "core/msg.h"
#include "core/stat.h"
#include "files/activity.h"
#include "files/uploads.h"
#include "session/attachment.h"
#include "session/removal.h"
#include "session/session_int.h"
#include "session/sessions.h"
#include "turn/approve.h"
#include "turn/input.h"
#include "turn/takeover.h"
#include "turn/tool_call.h"
#include "turn/turn.h"

#include <stdlib.h>

/*
 * Ticks (100 ms) between searches for lost notifications, and for orphans of
 * which no message has told us.
 */
#define LOST_BELL_TICKS 3
#define ORPHAN_TICKS 10

static void on_other_thread(void *arg)
{
	struct sessions *all = arg;
	all->setup.wake(all->setup.arg);
}

struct sessions *sessions_new(const struct sessions_setup *setup)
{
	struct sessions *all = mem_zero(sizeof *all);
	struct buf dir = {0};
	all->setup = *setup;
	all->self = registry_self(setup->slot, setup->generation);
	list_init(&all->sessions);
	list_init(&all->turns);
	list_init(&all->dirty);
	list_init(&all->rung);
	list_init(&all->ended);
	list_init(&all->answers);
	list_init(&all->retries);
	list_init(&all->saves);
	list_init(&all->execs);
	list_init(&all->decided);
	list_init(&all->execs_done);
	list_init(&all->removals);
	all->by_key = map_new();
	all->registry = registry_new(setup->heritage, false, 0);
	registry_clean_slot(all->registry, setup->slot);
	registry_bound(all->registry);
	struct journal_setup js = {
	    .store = setup->store,
	    .registry = all->registry,
	    .conf = setup->conf,
	    .pulses = setup->heritage->slots[setup->slot].pulses,
	    .slot = setup->slot,
	    .generation = setup->generation,
	    .on_done = on_other_thread,
	    .arg = all,
	};
	all->journal = journal_new(&js);
	buf_printf(&dir, "%s/uploads", setup->conf->co_dir);
	all->uploads =
	    uploads_new(buf_cstr(&dir), setup->conf, on_other_thread, all);
	buf_fini(&dir);
	const struct named_agent *usual =
	    agent_dir_find(setup->agents, NULL, 0);
	all->activity =
	    activity_open(setup->conf->co_dir, agent_dir_about(usual)->name);
	all->takeover.is_looking = true;
	return all;
}

void sessions_collect(struct sessions *all)
{
	journal_collect(all->journal);
	uploads_collect(all->uploads);
	input_retry(all); /* what they wait for may be done */
}

/* Stimuli go first, so that immediate reactions of agents are included. */
static void look_for_stimuli(struct sessions *all)
{
	list_each(it, &all->rung)
	{
		struct session *s = list_entry(it, struct session, rung);
		if (s->turn)
			turn_look(s->turn);
	}
}

static void flush_round(struct sessions *all)
{
	struct list *l;
	look_for_stimuli(all);
	while ((l = list_shift(&all->dirty)))
		turn_flush(turn_of_dirty(l));
	call_flush(all);
	tool_call_flush(all);
	approve_flush(all);
	while ((l = list_shift(&all->rung)))
		attachment_ring_all(list_entry(l, struct session, rung));
}

void sessions_flush(struct sessions *all)
{
	flush_round(all);
	activity_flush(all->activity);
	/*
	 * What the callbacks of this round have requested must not wait for a
	 * notification.
	 */
	if (!list_is_empty(&all->dirty) || !list_is_empty(&all->answers) ||
	    !list_is_empty(&all->rung))
		all->setup.ask_flush(all->setup.arg);
}

static void on_bell(struct sessions *all, const struct msg *m)
{
	if (m->c >= all->setup.heritage->max_sessions)
		return;
	struct entry *e = registry_entry(all->registry, (uint32_t)m->c);
	struct session *s = map_get(all->by_key, e->key, sizeof e->key);
	if (!s || s->number != m->a)
		return;
	session_grew(s);
	input_retry(all);
}

static void look_for_lost_turns(struct sessions *all, int64_t died_us)
{
	takeover_look(all, died_us);
	input_retry(all);
}

void sessions_receive(struct sessions *all, const struct msg *m)
{
	if (m->version != MSG_VERSION)
		return;
	if (m->type == MSG_GREW)
		on_bell(all, m);
	else if (m->type == MSG_DIED)
		look_for_lost_turns(all, (int64_t)m->c);
	else if (m->type == MSG_ORPHANS)
		look_for_lost_turns(all, 0);
	else if (m->type == MSG_WAITS &&
		 m->c < all->setup.heritage->max_sessions)
		takeover_take(all, (uint32_t)m->c);
}

void sessions_look(struct sessions *all)
{
	look_for_lost_turns(all, 0);
}

static void find_lost_bells(struct sessions *all)
{
	list_each(it, &all->sessions)
	{
		struct session *s = list_entry(it, struct session, link);
		bool is_behind = attachment_is_any_behind(s);
		if (is_behind)
			stat_add(bells_missed, 1);
		if (is_behind || s->turn)
			session_grew(s);
	}
}

void sessions_tick(struct sessions *all)
{
	all->ticks++;
	registry_catch_up(all->registry);
	if (!all->takeover.is_looking && all->ticks % ORPHAN_TICKS == 0)
		takeover_look(all, 0);
	takeover_step(all);
	input_retry(all);
	removal_tick(all);
	if (all->ticks % ORPHAN_TICKS == 0)
		takeover_begin_waiting(all);
	if (all->ticks % LOST_BELL_TICKS == 0)
		find_lost_bells(all);
	list_each_safe(it, &all->turns) turn_tick(turn_of_link(it));
	activity_flush(all->activity);
}

void sessions_drain(struct sessions *all)
{
	all->is_draining = true;
}

bool sessions_are_busy(const struct sessions *all)
{
	return all->n_turns || all->n_execs || journal_pending(all->journal) ||
	       !list_is_empty(&all->rung) || !list_is_empty(&all->answers) ||
	       !list_is_empty(&all->retries) || !list_is_empty(&all->saves);
}

void sessions_reopen_log(struct sessions *all)
{
	activity_reopen(all->activity);
}

static void free_calls(struct list *calls)
{
	struct list *l;
	while ((l = list_shift(calls))) {
		struct session_call *c =
		    list_entry(l, struct session_call, link);
		c->fn = NULL;
		call_free(c);
	}
}

void sessions_free(struct sessions **allp)
{
	struct sessions *all = *allp;
	*allp = NULL;
	if (!all)
		return;
	all->is_leaving = true;
	journal_free(&all->journal);
	list_each_safe(it, &all->turns) turn_leave(turn_of_link(it));
	tool_call_free_all(all);
	removal_free_all(all);
	free_calls(&all->answers);
	free_calls(&all->retries);
	uploads_free(&all->uploads);
	free_calls(&all->saves); /* nobody will tell them any more */
	activity_close(&all->activity);
	registry_free(&all->registry);
	map_free(&all->by_key);
	free(all);
}
