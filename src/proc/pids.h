/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef PROC_PIDS_H
#define PROC_PIDS_H

/*
 * Sets of processes, and the tree below one of them as /proc shows it. A tree
 * that moves is seen as far as that can be: who must be sure looks again. Needs
 * the C library alone.
 */
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* {0} is empty. */
struct pids {
	pid_t *list;
	size_t n;
	size_t cap;
	size_t n_threads; /* of those that were looked below */
};

/* Whether pid is among them. */
bool pids_has(const struct pids *p, pid_t pid);

/* Add pid; without memory it is missed, and found the next time. */
void pids_add(struct pids *p, pid_t pid);

/* Look below one process: add its children that are not there yet. */
void pids_add_children(struct pids *p, pid_t pid);

/* Add all that is below those that are there. */
void pids_add_below(struct pids *p);

/*
 * Stop all processes below those of 'from', and add them to 'seen'. A process
 * that is stopped cannot fork, so the tree holds still after a few passes,
 * however fast it grew.
 */
void pids_stop_below(const struct pids *from, struct pids *seen);

/* Kill these and all below them; reaping is the caller's. */
void pids_kill_trees(const struct pids *roots);

/* Whether a child of ours is one that we know of. */
typedef bool pids_known_fn(void *arg, pid_t pid);

/*
 * For a subreaper: kill and reap what it has inherited, its children that it
 * does not know and all below them. Returns how many such children there were:
 * when it is 0, nothing is left.
 */
size_t pids_kill_strangers(pids_known_fn *is_known, void *arg);

/* Take pid out. */
void pids_remove(struct pids *p, pid_t pid);

/* Forget all; the set is {0} again. */
void pids_fini(struct pids *p);

#endif
