/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef SESSION_TAKEOVER_H
#define SESSION_TAKEOVER_H

/*
 * Turns whose owner has died: find them in the registry and let this worker
 * adopt them. All workers look; registry_take() lets one win each turn.
 *
 * A process that is killed inside a commit may leave it written but not yet
 * visible: readers see it once the next writer has repaired the lock. So the
 * store is not asked about a dead worker's turn before a fence, an empty commit
 * that began after the death, has been through both environments.
 */
#include <stdbool.h>
#include <stdint.h>

struct sessions;

struct orphans {
	bool is_looking; /* from cursor on */
	bool is_fencing; /* a fence is on its way */
	uint32_t cursor;
	uint64_t fenced_deaths; /* deaths that the last fence came after */
	int64_t died_us; /* when the death that began the look was seen */
};

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
