/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef PROC_CGROUP_H
#define PROC_CGROUP_H

/*
 * Control groups for the processes of one agent, where the system lets us make
 * some: they limit processes and memory, and kill at a stroke.
 */
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A group of ours; path is "" where there is none. */
struct cgroup {
	char path[PATH_MAX];
};

struct cgroups {
	struct cgroup unified; /* version 2: kills at a stroke */
	struct cgroup pids;    /* version 1: limits the number of processes */
	bool is_limited;       /* one of them limits it */
	bool holds_memory;     /* the unified one does */
	char oom_events[PATH_MAX]; /* a file; "": there is none */
};

/* What a tree may use. */
struct cgroup_limits {
	long processes;	      /* 0: as many as they like */
	int64_t memory_bytes; /* 0: as much as they like */
};

/* Read a small file of /proc as text; false when it is not there. */
bool cgroup_read_file(const char *path, char *out, size_t size);

/*
 * Make groups named after the caller's pid, as far as the system allows. g is
 * zero before.
 */
void cgroup_make(struct cgroups *g, const struct cgroup_limits *limits);

/* Move a process into them; 0 is the caller. */
void cgroup_enter(const struct cgroups *g, pid_t pid);

/*
 * How many processes were killed for want of memory in the group that we are in
 * and below; only a difference means something.
 */
long cgroup_oom_kills(const struct cgroups *g);

/* Kill all that is in them, where the system can do so. */
void cgroup_kill(const struct cgroups *g);

/*
 * Kill what is in the groups that another process has made, who died, and
 * remove them when they are empty.
 */
void cgroup_clear(pid_t maker);

/* Remove them; waits a little for those that are busy. */
void cgroup_remove(struct cgroups *g);

#endif
