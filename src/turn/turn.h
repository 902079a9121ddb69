/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef TURN_TURN_H
#define TURN_TURN_H

/*
 * A turn is one INPUT to its end, in the worker that owns it: it runs the
 * agent, puts its events into the journal, gives it the stimuli that others
 * appended, and writes exactly one end (states.tbl).
 */
#include "core/agent.h"
#include "core/agent_dir.h"
#include "session/call.h"
#include "session/session_int.h"

struct record;

/* Begin turn 'number', which the registry has just given to us, for call c
 * (taken). */
void turn_begin(struct session *s, struct session_call *c, uint32_t number);

/* Take over a turn whose owner died: decide from the journal what becomes of
 * it. */
void turn_adopt(struct session *s, const struct record *r);

/* The journal has grown: deliver stimuli that have come. */
void turn_look(struct turn *t);

/* Push the events gathered in this tick. */
void turn_flush(struct turn *t);

/* Timeouts and retries; call about ten times a second. */
void turn_tick(struct turn *t);

/* Leave the turn to its next owner: end the agent, free, write nothing more. */
void turn_leave(struct turn *t);

/* The list link of a turn in all->turns or all->dirty, back to the turn. */
struct turn *turn_of_link(struct list *l);

/* As turn_of_link, for all->dirty. */
struct turn *turn_of_dirty(struct list *l);

#endif
