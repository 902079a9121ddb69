/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef PROC_CGROUP_H
#define PROC_CGROUP_H

/*
 * Control groups for the processes of one agent, where the system lets us
 * create them. They limit processes and memory, and kill a whole tree at once.
 *
 * Life cycle: cgroup_make(), cgroup_enter() for each process, cgroup_kill() if
 * needed, cgroup_remove(). Where the system refuses, these calls do nothing.
 */
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* One of our groups; path is "" if it does not exist. */
struct cgroup {
	char path[PATH_MAX];
};

struct cgroups {
	struct cgroup unified; /* version 2: kills the tree at once */
	struct cgroup pids;    /* version 1: limits the number of processes */
	bool is_limited;       /* one of them limits processes */
	bool holds_memory;     /* the unified one limits memory */
	char oom_events[PATH_MAX]; /* its file; "": there is none */
};

/* What a process tree may use. */
struct cgroup_limits {
	long processes;	      /* 0: no limit */
	int64_t memory_bytes; /* 0: no limit */
};

/* Read a small file of /proc as text; returns false if it does not exist. */
bool cgroup_read_file(const char *path, char *out, size_t size);

/*
 * Create groups named after the caller's pid, as far as the system allows. *g
 * must be zeroed.
 */
void cgroup_make(struct cgroups *g, const struct cgroup_limits *limits);

/* Let a group that limits processes have so many from now on. */
void cgroup_allow(const struct cgroups *g, long processes);

/* Move a process into the groups; pid 0 is the caller. */
void cgroup_enter(const struct cgroups *g, pid_t pid);

/*
 * Returns how many processes the kernel has killed for lack of memory in our
 * own group and below it; only differences are meaningful.
 */
long cgroup_oom_kills(const struct cgroups *g);

/* Kill all processes in the groups, where the system can do that. */
void cgroup_kill(const struct cgroups *g);

/*
 * Kill what is left in groups created by another process, now dead, whose pid
 * was 'maker', and remove those that are empty.
 */
void cgroup_clear(pid_t maker);

/* Remove the groups; waits briefly for those that are still busy. */
void cgroup_remove(struct cgroups *g);

#endif
