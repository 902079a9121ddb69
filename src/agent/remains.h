/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENT_REMAINS_H
#define AGENT_REMAINS_H

/*
 * Remains are what a co-turn leaves behind when it is killed: its tree, which
 * its worker, the next subreaper, inherits. They are the children of this
 * process that are not co-turns. Reading /proc and control groups may take
 * long, so a thread of a crew does that; what is reaped is reaped on the loop,
 * so that no number of a process can mean another one meanwhile. There is one
 * search at a time in a process, for all its agents. Used on the loop alone.
 */
#include <stdbool.h>
#include <sys/types.h>

struct crew;

/* Called later, on the loop; is_empty: nothing was left. */
typedef void remains_fn(void *arg, bool is_empty);

/* A co-turn was started, or reaped. */
void remains_add_co_turn(pid_t pid);
void remains_remove_co_turn(pid_t pid);

/*
 * Kill the remains that the last search found, then search again, also in the
 * control groups of this co-turn, which was reaped. False, and fn is not called,
 * when a search is under way or the crew has too much to do: try again later.
 */
bool remains_clear(struct crew *crew, pid_t co_turn, remains_fn *fn, void *arg);

/* Whoever gave this arg does not want to be called any more. */
void remains_forget(const void *arg);

#endif
