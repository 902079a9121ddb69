/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "turn/takeover.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "core/agent_dir.h"
#include "core/heritage.h"
#include "core/stat.h"
#include "session/session_int.h"
#include "session/waiting.h"
#include "store/record.h"
#include "turn/input.h"
#include "turn/turn.h"

#include <string.h>

/*
 * How many registry entries, and sessions with waiting inputs, are examined in
 * one step.
 */
#define STEP 4096
#define WAITING_STEP 64

/* Read the record of a session by its number; its strings are in *mem. */
static bool read_row(
    struct sessions *all, uint64_t number, struct buf *mem, struct record *r)
{
	struct store_key key = store_key1(number);
	struct store_txn t;
	struct store_span row;
	struct err err;
	store_read(all->setup.store, &t, STORE_FACTS);
	if (store_get(&t, TABLE_SESSIONS, key.bytes, 8, &row))
		buf_append(mem, row.data, row.len);
	if (store_read_end(&t, &err) != 0)
		return false;
	row = (struct store_span){mem->data, mem->len};
	return mem->len && record_decode(r, row);
}

static void adopt(
    struct sessions *all, uint32_t at, uint32_t turn, const struct record *r)
{
	struct err err;
	struct session *s = session_of_entry(all, r->id.data, r->id.len, &err);
	if (!s && registry_is_stuck(all->registry)) {
		registry_disown(all->registry, at, all->self);
		return;
	}
	if (!s || s->at != at)
		panic("session: entry %u is not the session's", at);
	stat_add(takeovers, 1);
	if (all->takeover.died_us)
		stat_add(takeover_us, clock_mono_us() - all->takeover.died_us);
	log_info("session=%s turn=%u: taken over", s->id, turn);
	turn_adopt(s, r);
	session_close(&s);
}

static void take_over(struct sessions *all, uint32_t at, struct entry *e)
{
	struct buf mem = {0};
	struct record r;
	uint32_t turn = atomic_load(&e->turn);
	/*
	 * An input that was neither committed nor acknowledged did not happen.
	 */
	if (!read_row(all, e->number, &mem, &r) || r.turn < turn)
		registry_end(all->registry, at, all->self, false);
	else
		adopt(all, at, turn, &r);
	buf_fini(&mem);
}

static uint64_t deaths(const struct sessions *all)
{
	return atomic_load(&all->setup.heritage->deaths);
}

static bool is_fenced(const struct sessions *all)
{
	return all->takeover.fenced_deaths == deaths(all);
}

static void on_fence(struct commit *c)
{
	struct sessions *all = c->arg;
	journal_commit_free(c);
	all->takeover.is_fencing = false;
	takeover_step(all);
}

static void push_fence(struct sessions *all)
{
	struct commit *c = journal_fence();
	all->takeover.is_fencing = true;
	all->takeover.fenced_deaths = deaths(all);
	c->done = on_fence;
	c->arg = all;
	journal_push(all->journal, c, true);
}

/*
 * Whether a turn whose agent is in one worker concerns this one: it has the
 * agent, or nobody else will end the turn.
 */
static bool is_for_us(const struct sessions *all, const struct entry *e)
{
	uint64_t home = atomic_load(&e->home);
	int64_t patience_ms;
	unsigned slot;
	if (!home)
		return true;
	switch (agent_dir_place(all->setup.agents, home, &slot, &patience_ms)) {
	case AGENT_HERE:
		return true;
	case AGENT_AWAY:
		if (clock_mono_ms() - atomic_load(&e->active_ms) > patience_ms)
			return true;
		break;
	case AGENT_ELSEWHERE:
		break;
	}
	/* Perhaps it is to stop: that can be done before it has started. */
	return (uint32_t)atomic_load(&e->stimuli) != atomic_load(&e->left);
}

static void on_orphan(uint32_t at, struct entry *e, void *arg)
{
	struct sessions *all = arg;
	if (!is_for_us(all, e))
		return;
	if (!is_fenced(all) && !all->takeover.is_fencing)
		push_fence(all);
	else if (!all->takeover.is_fencing &&
		 registry_take(all->registry, at, all->self))
		take_over(all, at, e);
}

void takeover_step(struct sessions *all)
{
	struct takeover *o = &all->takeover;
	if (!o->is_looking || o->is_fencing || all->is_draining ||
	    all->is_leaving)
		return;
	uint32_t from = o->cursor;
	registry_orphans(all->registry, &o->cursor, STEP, on_orphan, all);
	if (o->is_fencing)
		o->cursor = from; /* repeat this part after the fence */
	else
		o->is_looking = o->cursor != 0;
}

void takeover_look(struct sessions *all, int64_t died_us)
{
	all->takeover.is_looking = true;
	all->takeover.cursor = 0;
	all->takeover.died_us = died_us;
	takeover_step(all);
}

void takeover_take(struct sessions *all, uint32_t at)
{
	struct entry *e = registry_entry(all->registry, at);
	if (all->is_draining || all->is_leaving)
		return;
	if (atomic_load(&e->state) == ENTRY_RUNNING &&
	    !registry_is_alive(all->registry, atomic_load(&e->owner)))
		on_orphan(at, e, all);
	if (all->takeover.is_fencing)
		all->takeover.is_looking = true;
}

/* ---- waiting inputs ---- */

/* A session with a waiting input. */
struct idle {
	uint64_t number;
	size_t len;
	char id[SESSION_ID_MAX];
};

struct idles {
	struct sessions *all;
	struct idle list[WAITING_STEP];
	size_t n;
};

static bool note_idle(const struct waiting *w, void *arg)
{
	struct idles *x = arg;
	uint8_t key[REGISTRY_KEY];
	session_key(key, w->session.data, w->session.len);
	uint32_t at = registry_look(x->all->registry, key);
	if (at != REGISTRY_NONE &&
	    atomic_load(&registry_entry(x->all->registry, at)->state) ==
		ENTRY_RUNNING)
		return true; /* its end begins the next */
	struct idle *i = &x->list[x->n++];
	i->number = w->number;
	i->len = w->session.len < sizeof i->id ? w->session.len : 0;
	memcpy(i->id, w->session.data, i->len);
	return true;
}

void takeover_begin_waiting(struct sessions *all)
{
	struct idles x = {.all = all, .n = 0};
	struct err err;
	if (all->is_draining || all->is_leaving)
		return;
	waiting_look(
	    all->setup.store, &all->waiting, WAITING_STEP, note_idle, &x);
	for (size_t i = 0; i < x.n; i++) {
		struct session *s =
		    session_of_entry(all, x.list[i].id, x.list[i].len, &err);
		if (s && s->number == x.list[i].number)
			input_begin_waiting(s);
		if (s)
			session_close(&s);
	}
}
