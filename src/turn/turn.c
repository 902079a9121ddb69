/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/heritage.h"
#include "core/msg.h"
#include "core/stat.h"
#include "files/activity.h"
#include "proc/mailbox.h"
#include "turn/turn_int.h"

#include <stdlib.h>

void turn_end_agent(struct turn *t)
{
	if (t->agent)
		t->named->kind->free(&t->agent);
}

static int is_named(const struct named_agent *a)
{
	return a && *a->name;
}

void turn_set_agent(struct turn *t, const struct named_agent *named)
{
	stat_add(runs_named, is_named(named) - is_named(t->named));
	t->named = named;
}

struct turn *turn_new(
    struct session *s, struct session_call *c, uint32_t number)
{
	struct sessions *all = s->all;
	struct turn *t = mem_zero(sizeof *t);
	list_init(&t->dirty);
	list_init(&t->decided);
	list_init(&t->heard);
	list_init(&t->tools);
	list_append(&all->turns, &t->link);
	t->session = session_ref(s);
	t->input = c;
	turn_set_agent(t, agent_dir_find(all->setup.agents, NULL, 0));
	t->number = number;
	t->started_us = clock_wall_us();
	t->began_us = clock_mono_us();
	t->created_ms = t->started_us / 1000;
	t->epoch = store_epoch(all->setup.store);
	t->cursor = session_head(s);
	t->before_seq = t->cursor;
	t->stimuli = atomic_load(&session_entry(s)->stimuli);
	s->turn = t;
	all->n_turns++;
	stat_add(runs, 1);
	return t;
}

/* Notes are single blocks of memory that begin with their link. */
static void free_notes(struct list *notes)
{
	struct list *l;
	while ((l = list_shift(notes)))
		free(l);
}

void turn_forget_heard(struct turn *t)
{
	free_notes(&t->heard);
}

void turn_forget_tools(struct turn *t)
{
	free_notes(&t->tools);
	t->n_tools = 0;
}

void turn_detach(struct turn *t)
{
	if (t->session->turn == t)
		t->session->turn = NULL;
}

void turn_free(struct turn *t)
{
	struct sessions *all = turn_all(t);
	list_remove(&t->link);
	list_remove(&t->dirty);
	list_remove(&t->decided);
	if (t->open)
		journal_commit_free(t->open);
	turn_end_agent(t);
	buf_fini(&t->before);
	buf_fini(&t->result);
	buf_fini(&t->talk);
	turn_forget_heard(t);
	turn_forget_tools(t);
	turn_detach(t);
	all->n_turns--;
	turn_set_agent(t, NULL);
	stat_add(runs, -1);
	if (t->input)
		call_free(t->input);
	session_close(&t->session);
	free(t);
}

bool turn_is_here(const struct turn *t)
{
	unsigned slot;
	uint64_t home = turn_home(t);
	return !home || t->named->kind->place(t->named->agent, home, &slot) ==
			    AGENT_HERE;
}

/* Let go of the turn, and tell the worker that has its agent. */
static void hand_over(struct turn *t)
{
	struct sessions *all = turn_all(t);
	struct entry *e = session_entry(t->session);
	uint64_t home = turn_home(t);
	struct msg m = {.version = MSG_VERSION,
	    .type = MSG_WAITS,
	    .from_slot = (uint16_t)all->setup.slot,
	    .from_generation = all->setup.generation,
	    .a = t->session->number,
	    .c = t->session->at};
	unsigned slot;
	atomic_store(&e->home, home);
	atomic_store(&e->left, (uint32_t)t->stimuli);
	atomic_store(&e->active_ms, clock_mono_ms());
	registry_disown(all->registry, t->session->at, all->self);
	stat_add(turns_left, 1);
	/* Best effort: that worker also looks once a second. */
	if (t->named->kind->place(t->named->agent, home, &slot) ==
	    AGENT_ELSEWHERE)
		(void)mailbox_send(
		    HERITAGE_FD_MAILBOXES + (int)slot, &m, sizeof m);
}

void turn_maybe_free(struct turn *t)
{
	bool leaves = t->state == TURN_LEAVING && !t->open;
	if (t->n_commits || (t->state != TURN_OVER && !leaves))
		return;
	if (leaves)
		hand_over(t);
	turn_free(t);
}

void turn_activity(struct turn *t, const char *text, size_t len)
{
	activity_line(turn_all(t)->activity, t->session->id, text, len);
}

void turn_start_agent(struct turn *t)
{
	const struct session_call *c = t->input;
	t->told = (struct agent_input){
	    .session_id = t->session->id,
	    .turn = t->number,
	    .client_turn = t->client_turn,
	    .started_us = t->started_us,
	    .prompt = c->prompt,
	    .prompt_len = c->prompt_len,
	    .id = c->id,
	    .agent = c->agent ? c->agent : "",
	    .options = c->options,
	    .options_len = c->options_len,
	    .is_resumed = t->is_resumed,
	    .session = t->before.len ? t->before.data : "{}",
	    .session_len = t->before.len ? t->before.len : 2,
	    .images = c->images,
	    .images_len = c->images_len,
	    .files = c->files,
	    .n_files = c->n_files,
	};
	if (t->named)
		t->agent =
		    t->named->kind->start(t->named->agent, &t->told, &t->sink);
}

void turn_run_agent(struct turn *t)
{
	if (t->named)
		t->named->kind->run(t->agent);
	else
		t->sink.ops->fail(&t->sink, REASON_SPAWN,
		    "the server has no agent of the session's name any more");
}

struct commit *turn_commit(
    struct turn *t, enum commit_rule rule, void (*done)(struct commit *))
{
	struct commit *c =
	    journal_commit(t->session->number, t->session->at, t->number, rule);
	c->done = done;
	c->arg = t;
	return c;
}

void turn_push(struct turn *t, struct commit *c)
{
	t->n_commits++;
	journal_push(turn_all(t)->journal, c, t->n_in_facts > 0);
	t->n_in_facts += c->is_in_facts_lane;
}

void turn_commit_back(struct turn *t, struct commit *c)
{
	t->n_commits--;
	t->n_in_facts -= c->is_in_facts_lane;
	journal_commit_free(c);
}

/* A turn with missing events must not look complete. */
static void lose_events(struct turn *t, const struct commit *c)
{
	log_error("session=%s turn=%u: %u events lost: %s", t->session->id,
	    t->number, c->n_events, c->err.text);
	t->sink.ops->fail(&t->sink, REASON_STORE, c->err.text);
	turn_end_agent(t);
}

void turn_written(struct commit *c)
{
	struct turn *t = c->arg;
	t->n_unwritten -= c->n_events;
	if (c->outcome == COMMIT_FAILED)
		lose_events(t, c);
	if (c->question_at && c->outcome == COMMIT_OK) {
		t->question = c->first_seq + c->question_at - 1;
		t->asked_ms = clock_mono_ms();
	}
	session_grew(t->session);
	if (c->n_emitted && t->agent && c->outcome == COMMIT_OK &&
	    t->named->kind->on_written)
		t->named->kind->on_written(t->agent, c->n_emitted);
	turn_commit_back(t, c);
	if (t->is_full && t->n_unwritten < TURN_MAX_UNWRITTEN / 2 && t->agent) {
		t->is_full = false;
		t->named->kind->on_room(t->agent);
	}
	turn_maybe_free(t);
}

void turn_tell(struct turn *t, struct draft *d)
{
	struct sessions *all = turn_all(t);
	if (!t->open) {
		t->open = turn_commit(t, COMMIT_IN_TURN, turn_written);
		list_append(&all->dirty, &t->dirty);
		all->setup.ask_flush(all->setup.arg);
	}
	journal_add(t->open, d);
	t->n_unwritten++;
}

void turn_flush(struct turn *t)
{
	struct commit *c = t->open;
	list_remove(&t->dirty);
	if (!c) {
		turn_maybe_free(t);
		return;
	}
	t->open = NULL;
	turn_push(t, c);
}

struct turn *turn_of_link(struct list *l)
{
	return list_entry(l, struct turn, link);
}

struct turn *turn_of_dirty(struct list *l)
{
	return list_entry(l, struct turn, dirty);
}
