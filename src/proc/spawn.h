/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef PROC_SPAWN_H
#define PROC_SPAWN_H

/*
 * Start another program with exactly the descriptors it should have. Uses
 * posix_spawn(), which does not copy the parent's page tables, so that the cost
 * does not depend on the size of the parent. The caller reaps the child.
 */
#include <stddef.h>
#include <sys/types.h>

/* In the child, descriptor 'to' becomes a copy of the parent's 'from'. */
struct spawn_fd {
	int from;
	int to;
};

struct spawn_plan {
	const char *path;  /* program; searched in PATH if it has no slash */
	char *const *argv; /* NULL-terminated, argv[0] included */
	char *const *envp; /* NULL-terminated; NULL: as the parent's */
	const char *cwd;   /* NULL: as the parent's */
	const struct spawn_fd *fds; /* all others from 3 on are closed */
	size_t n_fds;
	int has_own_group; /* non-zero: the child leads a new process group */
};

/*
 * Start the program with an empty signal mask and default signal handlers. 'to'
 * descriptors may overlap 'from' ones. Returns the pid, or -1 with errno.
 */
pid_t spawn_start(const struct spawn_plan *plan);

/*
 * Write a wait status as text, such as "exit 1" or "signal 9 (Killed)", to out
 * and return it.
 */
const char *spawn_status(int status, char *out, size_t size);

#endif
