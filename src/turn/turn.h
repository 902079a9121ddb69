/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef TURN_TURN_H
#define TURN_TURN_H

/*
 * A turn is one INPUT to its end, in the worker that owns it: it runs the
 * agent, appends its events to the journal, gives it the stimuli that other
 * workers append, and writes exactly one end (states.tbl).
 */
#include "core/agent.h"
#include "core/agent_dir.h"
#include "session/call.h"
#include "session/session_int.h"

struct record;

/*
 * Begin turn 'number', which the registry has just assigned to us, for call c
 * (whose ownership passes to the turn).
 */
void turn_begin(struct session *s, struct session_call *c, uint32_t number);

/*
 * Take over a turn whose owner has died: journal and facts decide how it
 * continues.
 */
void turn_adopt(struct session *s, const struct record *r);

/* The journal has grown: deliver new stimuli to the agent. */
void turn_look(struct turn *t);

/*
 * Push the events gathered in this tick. May free a turn that leaves for
 * another worker.
 */
void turn_flush(struct turn *t);

/* Handle timeouts and retries. Call it about ten times a second. */
void turn_tick(struct turn *t);

/*
 * Leave the turn to its next owner: end the agent and free the turn, without
 * writing anything.
 */
void turn_leave(struct turn *t);

/* Returns the turn of a list link in all->turns. */
struct turn *turn_of_link(struct list *l);

/* Returns the turn of a list link in all->dirty. */
struct turn *turn_of_dirty(struct list *l);

#endif
