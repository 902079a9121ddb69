/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "journal/registry_int.h"

static unsigned count_listeners(const struct entry *e)
{
	unsigned n = 0;
	for (size_t i = 0; i < 2; i++)
		n += (unsigned)__builtin_popcountll(
		    atomic_load(&e->listeners[i]));
	return n;
}

/* Returns false if the entry is free, or became another session's. */
static bool copy_entry(struct registry_view *out, const struct entry *e)
{
	/* Read as its own size; other processes write it under the lock. */
	uint64_t number = *(const volatile uint64_t *)&e->number;
	uint32_t state = atomic_load(&e->state);
	if (state == ENTRY_FREE || !number || atomic_load(&e->is_deleted))
		return false;
	struct entry_question q = entry_question(e);
	*out = (struct registry_view){
	    .number = number,
	    .owner = atomic_load(&e->owner),
	    .head = atomic_load(&e->head),
	    .question = q.type,
	    .active_ms = atomic_load(&e->active_ms),
	    .turn = atomic_load(&e->turn),
	    .n_listeners = count_listeners(e),
	    .is_running = state == ENTRY_RUNNING,
	    .is_waiting = state == ENTRY_RUNNING && q.seq && q.type < EV_COUNT,
	};
	return *(const volatile uint64_t *)&e->number == number;
}

void registry_each(const struct registry *r,
    void (*fn)(const struct registry_view *view, void *arg), void *arg)
{
	uint32_t high = *(const volatile uint32_t *)&r->region->high;
	struct registry_view view;
	if (high > r->region->capacity)
		high = r->region->capacity;
	for (uint32_t at = 0; at < high; at++)
		if (copy_entry(&view, &r->entries[at]))
			fn(&view, arg);
}
