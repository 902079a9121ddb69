/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/unfinished.h"

/* The budget of the process. */
static struct {
	struct list parts; /* those that hold something */
	size_t most;
	size_t total;
	uint64_t *held;
	uint64_t *dropped;
} budget = {.parts = {&budget.parts, &budget.parts}};

static void unfinished_add(uint64_t *counter, uint64_t n)
{
	if (counter)
		__atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}

void unfinished_init(
    struct unfinished *part, void (*drop)(struct unfinished *part))
{
	*part = (struct unfinished){.drop = drop};
	list_init(&part->link);
}

void unfinished_open(size_t most, uint64_t *held, uint64_t *dropped)
{
	budget.most = most;
	budget.held = held;
	budget.dropped = dropped;
}

static void unfinished_count(struct unfinished *part, size_t bytes)
{
	budget.total += bytes - part->bytes;
	unfinished_add(budget.held, bytes - part->bytes);
	if (!part->bytes)
		list_append(&budget.parts, &part->link);
	part->bytes = bytes;
	if (!bytes)
		list_remove(&part->link);
}

/* Returns the largest part of an unproven peer, or NULL. */
static struct unfinished *find_largest(void)
{
	struct unfinished *largest = NULL;
	list_each(it, &budget.parts)
	{
		struct unfinished *p = list_entry(it, struct unfinished, link);
		if (!p->is_proven && (!largest || p->bytes > largest->bytes))
			largest = p;
	}
	return largest;
}

bool unfinished_hold(struct unfinished *part, size_t bytes)
{
	unfinished_count(part, bytes);
	while (budget.most && budget.total > budget.most) {
		struct unfinished *victim = find_largest();
		if (!victim)
			victim = part;
		unfinished_add(budget.dropped, 1);
		unfinished_release(victim);
		if (victim == part)
			return false;
		victim->drop(victim);
	}
	return true;
}

void unfinished_release(struct unfinished *part)
{
	if (part->bytes)
		unfinished_count(part, 0);
}
