/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef TURN_TAKEOVER_H
#define TURN_TAKEOVER_H

/*
 * Takeover of turns whose owner has died: this worker finds them in the
 * registry and adopts them. All workers search; registry_take() lets one of
 * them win each turn.
 *
 * A commit of a process that was killed inside it may be written but not yet
 * visible: readers see it after the next writer has repaired the lock. So the
 * store is not consulted about a dead worker's turn before a fence, an empty
 * commit that began after the death, has been through both environments.
 */
#include <stdint.h>

struct sessions;

/*
 * Start a search of the whole registry. died_us is the time of the death that
 * caused it; 0: none.
 */
void takeover_look(struct sessions *all, int64_t died_us);

/* Take over the turn of this entry, if it has no owner. */
void takeover_take(struct sessions *all, uint32_t at);

/* Search the next part, if a search is in progress. Call it every tick. */
void takeover_step(struct sessions *all);

/*
 * Begin turns for acknowledged inputs that no process runs, since their worker
 * has died or accepted no more turns. Call it about once a second.
 */
void takeover_begin_waiting(struct sessions *all);

#endif
