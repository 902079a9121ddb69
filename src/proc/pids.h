/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef PROC_PIDS_H
#define PROC_PIDS_H

/*
 * Sets of processes, and the process tree below one of them as /proc shows it.
 * A tree that changes is seen only in part: a caller that must be sure looks
 * again. Needs only the C library.
 */
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A set; {0} is empty. */
struct pids {
	pid_t *list;
	size_t n;
	size_t cap;
	size_t n_threads; /* of the processes whose children were listed */
};

/* Whether pid is in the set. */
bool pids_has(const struct pids *p, pid_t pid);

/* Add pid. If memory runs out it is skipped, and found the next time. */
void pids_add(struct pids *p, pid_t pid);

/* Add the children of one process that are not in the set yet. */
void pids_add_children(struct pids *p, pid_t pid);

/*
 * Stop all processes below those of 'from', and add them to 'seen'. A stopped
 * process cannot fork, so the tree holds still after a few passes, however fast
 * it grew.
 */
void pids_stop_below(const struct pids *from, struct pids *seen);

/* Kill these processes and all below them; the caller reaps them. */
void pids_kill_trees(const struct pids *roots);

/* Whether pid, a child of ours, is one that the caller knows. */
typedef bool pids_known_fn(void *arg, pid_t pid);

/*
 * For a subreaper: kill and reap the children that it has inherited (those that
 * is_known does not know) and everything below them. Returns how many such
 * children there were; 0 means that nothing is left.
 */
size_t pids_kill_strangers(pids_known_fn *is_known, void *arg);

/* Remove pid from the set. */
void pids_remove(struct pids *p, pid_t pid);

/* Free the set; it is {0} again. */
void pids_fini(struct pids *p);

#endif
