/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef PROC_TREE_H
#define PROC_TREE_H

/*
 * The processes below the caller: one program and all that comes of it. The
 * caller is a subreaper and has no other children, so nothing can escape by
 * forking: what loses its parent becomes a child of the caller, who goes on
 * when it has none. Used by co-turn and co-nest; needs the C library alone.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "proc/cgroup.h"
#include "proc/turnstile.h"

enum tree_end {
	TREE_OVER,  /* the program ended, or had to */
	TREE_ASKED, /* a signal asks the caller to end */
	TREE_STUCK, /* some of them cannot be killed */
};

struct tree {
	int signals; /* of tree_open_signals() */
	int control; /* socket to the worker */
	int errors;  /* where complaints go */
	pid_t program;
	int status;		     /* -1 until the program has ended */
	struct cgroup_limits limits; /* of all together */
	bool has_nests;	    /* turns below nests have limits of their own */
	size_t n_seen;	    /* processes (threads at a turnstile), lately */
	int64_t bytes_seen; /* of memory, likewise */
	int64_t look_at_ms; /* when we look again */
	long oom_kills;	    /* before the program began */
	struct cgroups groups;
	struct turnstile turnstile; /* TURNSTILE_CLOSED at first */
	long room;		    /* how many it lets in before we count */
};

/* The name of the process of a nest. */
#define TREE_NEST_NAME "co-nest"

/* What holds the number of processes of a tree. */
enum tree_hold {
	TREE_HELD_BY_GROUP,	/* a control group */
	TREE_HELD_BY_TURNSTILE, /* the caller, who is root */
	TREE_HELD_BY_RLIMIT,	/* RLIMIT_NPROC, which does not bind root */
	TREE_NOT_HELD,
};

/* What would hold it for a caller like us; tries it out. */
enum tree_hold tree_hold(void);

/* Complain in a line, with the name of the program in front. */
void tree_say(int fd, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Block the signals that tell of children or ask us to end, and ignore SIGPIPE.
 * Returns a descriptor that they are read from, or -1.
 */
int tree_open_signals(void);

/* Take pending signals and reap; true when one asks the caller to end. */
bool tree_take_signals(struct tree *t);

/* Lower a limit of a process; 0 is the caller. */
void tree_limit(
    const struct tree *t, pid_t pid, enum __rlimit_resource what, rlim_t max);

/* Limit what the process and its children may fork, unless a group does. */
void tree_limit_processes(const struct tree *t, pid_t pid);

/*
 * Where neither a group nor a limit holds the tree: call the first before the
 * program is forked, the second in the program, the third in the caller.
 */
void tree_open_turnstile(struct tree *t);
void tree_enter_turnstile(struct tree *t);
void tree_take_turnstile(struct tree *t);

/*
 * Wait until the program ends, or must: then tell the worker, and kill what is
 * left of the tree. All is reaped when this returns, if it is not TREE_STUCK.
 */
enum tree_end tree_run(struct tree *t);

#endif
