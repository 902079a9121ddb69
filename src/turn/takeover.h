/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef TURN_TAKEOVER_H
#define TURN_TAKEOVER_H

/*
 * Turns whose owner has died: find them in the registry and let this worker
 * adopt them. All workers look; registry_take() lets one win each turn.
 *
 * A process that is killed inside a commit may leave it written but not yet
 * visible: readers see it once the next writer has repaired the lock. So the
 * store is not asked about a dead worker's turn before a fence, an empty commit
 * that began after the death, has been through both environments.
 */
#include <stdint.h>

struct sessions;

/*
 * Look through the whole registry, beginning now. died_us 0: no special death.
 */
void takeover_look(struct sessions *all, int64_t died_us);

/* Look at the next part, if a look is going on. Every tick. */
void takeover_step(struct sessions *all);

/*
 * Begin the turns of inputs that were acknowledged and that nobody runs, since
 * their worker died or took no more; call about once a second.
 */
void takeover_begin_waiting(struct sessions *all);

#endif
