/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef PROC_SPAWN_H
#define PROC_SPAWN_H

/*
 * Start another program with exactly the descriptors it should have. Built on
 * posix_spawn, which does not copy the parent's page tables, so that a large
 * parent pays nothing for it. The caller reaps the child.
 */
#include <stddef.h>
#include <sys/types.h>

/* In the child, descriptor 'to' is a copy of the parent's 'from'. */
struct spawn_fd {
	int from;
	int to;
};

struct spawn_plan {
	const char *path;  /* program; found in PATH when it has no slash */
	char *const *argv; /* NULL-terminated, argv[0] included */
	char *const *envp; /* NULL-terminated; NULL: the parent's */
	const char *cwd;   /* NULL: the parent's */
	const struct spawn_fd *fds; /* others, from 3 on, are closed */
	size_t n_fds;
	int has_own_group; /* non-zero: the child leads a new process group */
};

/*
 * Start the program; its signal mask is empty and its handlers are the
 * defaults. 'to' descriptors may overlap 'from' ones. Returns the pid, or -1
 * with errno.
 */
pid_t spawn_start(const struct spawn_plan *plan);

/* One line for a wait status, such as "exit 1" or "signal 9 (Killed)". */
const char *spawn_status(int status, char *out, size_t size);

#endif
