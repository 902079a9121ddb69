/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef PROC_TREE_H
#define PROC_TREE_H

/*
 * The process tree of one program: the program itself and all its descendants.
 * The caller is a subreaper without other children, so no process can escape by
 * forking: a process that loses its parent becomes a child of the caller, who
 * continues only when none is left. Used by co-turn and co-nest. Needs only the
 * C library.
 *
 * Order of calls: tree_open_signals(), tree_open_turnstile(), fork, in the
 * child tree_enter_turnstile(), in the parent tree_take_turnstile(),
 * tree_run().
 */
#include "proc/cgroup.h"
#include "proc/turnstile.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

/*
 * What a worker may write: each byte is an order, and an unknown one ends the
 * tree. The first allows so many more processes, up to processes_most; the other
 * two send SIGINT or SIGTERM to the group of the program.
 */
#define TREE_MORE 'm'
#define TREE_MORE_PROCESSES 256
#define TREE_INTERRUPT 'i'
#define TREE_TERMINATE 't'

enum tree_end {
	TREE_OVER,  /* the program ended or was ended */
	TREE_ASKED, /* a signal asks the caller to end */
	TREE_STUCK, /* some processes cannot be killed */
};

struct tree {
	int signals; /* from tree_open_signals() */
	int control; /* socket to the worker */
	int errors;  /* descriptor for error messages */
	pid_t program;
	int status;		     /* -1 until the program has ended */
	struct cgroup_limits limits; /* for the whole tree */
	/* To which they may be raised; only a tree with more is ended then. */
	long processes_most;
	bool has_nests;	    /* turns below nests have their own limits */
	size_t n_seen;	    /* processes (or threads), last count */
	int64_t bytes_seen; /* of memory, last count */
	int64_t look_at_ms; /* when the next check is due */
	long oom_kills;	    /* before the program began */
	struct cgroups groups;
	struct turnstile turnstile; /* TURNSTILE_CLOSED at first */
	long room; /* number let in, or refused if negative, before we count */
};

/* The name of a nest's process (its comm). */
#define TREE_NEST_NAME "co-nest"

/* What limits the number of processes of a tree. */
enum tree_hold {
	TREE_HELD_BY_GROUP,	/* a control group */
	TREE_HELD_BY_TURNSTILE, /* the caller, which is root */
	TREE_HELD_BY_RLIMIT,	/* RLIMIT_NPROC, which does not bind root */
	TREE_NOT_HELD,
};

/* Returns what would limit the processes of a caller like us; tests it. */
enum tree_hold tree_hold(void);

/* Write one line to fd, with the name of the program in front. */
void tree_say(int fd, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Block the signals that report children or ask us to end, and ignore SIGPIPE.
 * Returns a descriptor from which they are read, or -1.
 */
int tree_open_signals(void);

/*
 * Take pending signals and reap children. Returns true if a signal asks the
 * caller to end.
 */
bool tree_take_signals(struct tree *t);

/* Lower a resource limit of a process; pid 0 is the caller. */
void tree_limit(
    const struct tree *t, pid_t pid, enum __rlimit_resource what, rlim_t max);

/*
 * Limit how many processes this one and its children may fork, unless a control
 * group does.
 */
void tree_limit_processes(const struct tree *t, pid_t pid);

/*
 * The turnstile, for the case that neither a control group nor RLIMIT_NPROC
 * limits the tree; otherwise these do nothing. Before the program is forked,
 * prepare it.
 */
void tree_open_turnstile(struct tree *t);

/* In the program, before it is executed: enter it. */
void tree_enter_turnstile(struct tree *t);

/* In the caller, after the fork: take its supervision. */
void tree_take_turnstile(struct tree *t);

/*
 * Wait until the program ends or has to be ended, then report to the worker and
 * kill what is left of the tree. On return everything is reaped, except after
 * TREE_STUCK.
 */
enum tree_end tree_run(struct tree *t);

#endif
