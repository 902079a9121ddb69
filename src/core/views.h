/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_VIEWS_H
#define CORE_VIEWS_H

/*
 * Clients of OpenHands number what they are shown, without gaps. An event of a
 * journal may be shown to them as several things, its views, or as nothing.
 * Which views it has is decided once, when it gets its position, and stored with
 * it together with the number of the first (struct event). So every client,
 * worker and start finds the same numbers, and trimming changes none. Pure
 * functions.
 */
#include "core/event.h"

#include <stdbool.h>
#include <stdint.h>

/* An event has so many views at most: bit v of its views is that of view v. */
#define VIEWS 4

/* Further bits: the agent stopped because the user wanted it to, */
#define VIEWS_STOPPED 0x80
/* and beside that one: the user wanted it to pause. */
#define VIEWS_PAUSED 0x40

/* Whether the user has interrupted the turn. The values are stored. */
enum views_stop { VIEWS_STOP_NONE, VIEWS_STOP, VIEWS_STOP_PAUSE };

/* What the views of the next event depend on. All zero in a new journal. */
struct views_memory {
	uint32_t said; /* digest of what the agent said last; 0: nothing */
	uint32_t stop; /* enum views_stop */
};

/* Returns the views of the next event of a journal. */
uint8_t views_of(const struct event *ev, struct views_memory *memory);

/* Returns how many views these are. */
static inline unsigned views_count(uint8_t views)
{
	return (unsigned)__builtin_popcount(views & ((1u << VIEWS) - 1));
}

/* Whether an event has a view. */
static inline bool views_has(const struct event *ev, unsigned view)
{
	return ev->views & 1u << view;
}

/* Returns the number of a view that the event has. */
static inline uint64_t views_number(const struct event *ev, unsigned view)
{
	return ev->first_view +
	       views_count((uint8_t)(ev->views & ((1u << view) - 1)));
}

/*
 * Returns the number of views up to the end of an event, which is that of its
 * last view if it has any; 0 if the event is not numbered.
 */
static inline uint64_t views_upto(const struct event *ev)
{
	return ev->first_view ? ev->first_view + views_count(ev->views) - 1 : 0;
}

#endif
