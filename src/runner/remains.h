/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef RUNNER_REMAINS_H
#define RUNNER_REMAINS_H

/*
 * Remains are what a co-turn leaves behind when it is killed: its process tree,
 * inherited by its worker, the next subreaper. They are those children of this
 * process that are not co-turns. Reading /proc and control groups may take
 * long, so a thread of a crew does that; reaping is done on the loop, so that
 * no pid can be reused meanwhile. A process makes only one search at a time,
 * for all its agents. Used only on the loop.
 */
#include <stdbool.h>
#include <sys/types.h>

struct crew;

/* Called later, on the loop. is_empty: nothing was left. */
typedef void remains_fn(void *arg, bool is_empty);

/* Register a co-turn that was started; unregister one that was reaped. */
void remains_add_co_turn(pid_t pid);
void remains_remove_co_turn(pid_t pid);

/*
 * Kill the remains found by the last search, then search again, also in the
 * control groups of this reaped co-turn. Returns false, and fn is not called,
 * if a search is in progress or the crew is too busy: try again later.
 */
bool remains_clear(struct crew *crew, pid_t co_turn, remains_fn *fn, void *arg);

/* Cancel the callback with this arg. */
void remains_forget(const void *arg);

#endif
