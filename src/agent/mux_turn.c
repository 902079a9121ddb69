/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agent/mux_turn.h"

#include "base/mem.h"
#include "core/stat.h"

#include <stdlib.h>

#define FIRST_SLOTS 64

struct mux_turn *mux_turn_new(const struct channel_ops *ops,
    const struct channel_handlers *handlers, void *arg)
{
	struct mux_turn *t = mem_zero(sizeof *t);

	t->base = (struct channel){ops, *handlers, arg};
	t->credit.window = MUX_WINDOW;
	list_init(&t->link);
	return t;
}

void mux_turn_free(struct mux_turn *t)
{
	list_remove(&t->link);
	buf_fini(&t->early);
	free(t);
}

/* ---- turns that wait for a process ---- */

void mux_queue_init(struct mux_queue *q)
{
	list_init(&q->turns);
	q->n = 0;
}

void mux_queue_add(struct mux_queue *q, struct mux_turn *t)
{
	t->queue = q;
	list_append(&q->turns, &t->link);
	q->n++;
	stat_add(agent_waiting, 1);
}

void mux_queue_remove(struct mux_turn *t)
{
	t->queue->n--;
	t->queue = NULL;
	list_remove(&t->link);
	stat_add(agent_waiting, -1);
}

struct mux_turn *mux_queue_take(struct mux_queue *q)
{
	if (list_is_empty(&q->turns))
		return NULL;
	struct mux_turn *t = list_entry(q->turns.next, struct mux_turn, link);
	mux_queue_remove(t);
	return t;
}

/* ---- turns by number ---- */

/* Numbers follow each other, so they need no hash function. */
static struct mux_turn **slot_of(const struct mux_table *table, uint64_t number)
{
	return &table->slots[number & (table->n_slots - 1)];
}

static void insert(struct mux_table *table, struct mux_turn *t)
{
	struct mux_turn **slot = slot_of(table, t->number);

	t->next = *slot;
	*slot = t;
}

static void grow(struct mux_table *table)
{
	struct mux_table old = *table;

	table->n_slots = old.n_slots ? old.n_slots * 2 : FIRST_SLOTS;
	table->slots = mem_zero(table->n_slots * sizeof *table->slots);
	for (size_t i = 0; i < old.n_slots; i++) {
		while (old.slots[i]) {
			struct mux_turn *t = old.slots[i];
			old.slots[i] = t->next;
			insert(table, t);
		}
	}
	free(old.slots);
}

void mux_table_add(struct mux_table *table, struct mux_turn *t)
{
	if (table->n == table->n_slots)
		grow(table);
	insert(table, t);
	table->n++;
}

struct mux_turn *mux_table_get(const struct mux_table *table, uint64_t number)
{
	struct mux_turn *t = table->n ? *slot_of(table, number) : NULL;

	while (t && t->number != number)
		t = t->next;
	return t;
}

void mux_table_remove(struct mux_table *table, struct mux_turn *t)
{
	struct mux_turn **at = slot_of(table, t->number);

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	table->n--;
}

void mux_table_fini(struct mux_table *table)
{
	free(table->slots);
	*table = (struct mux_table){0};
}

/* ---- credit ---- */

bool mux_credit_take(struct mux_credit *c, size_t n)
{
	bool has_credit = c->done + c->held < c->window;

	if (c->is_paused)
		c->held += n;
	else
		c->done += n;
	return has_credit;
}

/* Short turns are never told, and long ones once per half a window. */
size_t mux_credit_give(struct mux_credit *c)
{
	size_t n = c->done;

	if (n < MUX_WINDOW / 2)
		return 0;
	c->done = 0;
	return n;
}

void mux_credit_pause(struct mux_credit *c, bool is_paused)
{
	c->is_paused = is_paused;
	if (is_paused)
		return;
	c->done += c->held;
	c->held = 0;
}
