/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "dialin/dialin_queue.h"

#include "dialin/dialin_cmd.h"

#include <string.h>

static struct agent_turn *turn_of(struct list *l)
{
	return list_entry(l, struct agent_turn, link);
}

static bool waits(const struct agent_turn *t)
{
	return t->stage == STAGE_QUEUED ||
	       (t->stage == STAGE_SENT && t->is_held);
}

/* Whether a is before b; no two turns are equal. */
static bool is_before(const struct agent_turn *a, const struct agent_turn *b)
{
	if (a->stage != b->stage)
		return a->stage == STAGE_SENT;
	if (a->priority != b->priority)
		return a->priority < b->priority;
	if (a->input->started_us != b->input->started_us)
		return a->input->started_us < b->input->started_us;
	return strcmp(a->command, b->command) < 0;
}

struct agent_turn *dialin_queue_next(struct dialin_conn *c)
{
	struct agent_turn *best = NULL;
	list_each(it, &c->turns)
	{
		struct agent_turn *t = turn_of(it);
		if (t->stage == STAGE_QUEUED && (!best || is_before(t, best)))
			best = t;
	}
	return best;
}

/* The first one that waits behind 'after'; NULL: the first of all. */
static struct agent_turn *first_behind(
    struct dialin_conn *c, const struct agent_turn *after)
{
	struct agent_turn *best = NULL;
	list_each(it, &c->turns)
	{
		struct agent_turn *t = turn_of(it);
		if (waits(t) && (!after || is_before(after, t)) &&
		    (!best || is_before(t, best)))
			best = t;
	}
	return best;
}

static uint32_t length_of(struct dialin_conn *c)
{
	uint32_t n = 0;
	list_each(it, &c->turns) n += waits(turn_of(it));
	return n;
}

void dialin_queue_tell(struct dialin_conn *c)
{
	struct dialin_queue q = {.n = length_of(c)};
	const struct agent_turn *t = NULL;
	for (size_t i = 0; i < DIALIN_QUEUE_SHOWN; i++) {
		t = first_behind(c, t);
		if (!t)
			break;
		q.first[i] = (struct dialin_queued){
		    .command = dialin_home(t->command, strlen(t->command)),
		    .priority = t->priority,
		};
	}
	if (c->connection &&
	    dialin_table_is_newest(c->dock->table, c->place, c->connection))
		dialin_table_set_queue(c->dock->table, c->place, &q);
}
