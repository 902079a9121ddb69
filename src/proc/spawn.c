/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "proc/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Descriptors are first moved above this number, so that the 'from' and 'to'
 * sides of a plan may overlap.
 */
#define PARK_FROM 300

/* The most descriptors of a plan. */
#define PARKED_MAX 290

extern char **environ;

static int highest_target(const struct spawn_plan *plan)
{
	int high = 2;
	for (size_t i = 0; i < plan->n_fds; i++)
		if (plan->fds[i].to > high)
			high = plan->fds[i].to;
	return high;
}

static bool is_target(const struct spawn_plan *plan, int fd)
{
	for (size_t i = 0; i < plan->n_fds; i++)
		if (plan->fds[i].to == fd)
			return true;
	return false;
}

/*
 * Close all descriptors that the plan does not name, in its gaps and beyond its
 * end.
 */
static int plan_closes(
    const struct spawn_plan *plan, posix_spawn_file_actions_t *acts)
{
	int rc = 0, high = highest_target(plan);
	for (int fd = 3; fd < high && !rc; fd++)
		if (!is_target(plan, fd))
			rc = posix_spawn_file_actions_addclose(acts, fd);
	return rc ? rc
		  : posix_spawn_file_actions_addclosefrom_np(acts, high + 1);
}

/*
 * dup2() in the child from descriptors that the parent has moved out of the
 * way: a target may be the source of a later row.
 */
static int plan_fds(const struct spawn_plan *plan,
    posix_spawn_file_actions_t *acts, int *parked)
{
	int rc = 0;
	for (size_t i = 0; i < plan->n_fds && !rc; i++) {
		parked[i] =
		    fcntl(plan->fds[i].from, F_DUPFD_CLOEXEC, PARK_FROM);
		if (parked[i] < 0)
			return errno;
		rc = posix_spawn_file_actions_adddup2(
		    acts, parked[i], plan->fds[i].to);
	}
	if (!rc)
		rc = plan_closes(plan, acts);
	if (!rc && plan->cwd)
		rc = posix_spawn_file_actions_addchdir_np(acts, plan->cwd);
	return rc;
}

static int plan_attributes(
    const struct spawn_plan *plan, posix_spawnattr_t *attr)
{
	sigset_t none, all;
	short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	int rc = posix_spawnattr_setsigmask(attr, &none);
	if (!rc)
		rc = posix_spawnattr_setsigdefault(attr, &all);
	if (!rc && plan->has_own_group) {
		flags |= POSIX_SPAWN_SETPGROUP;
		rc = posix_spawnattr_setpgroup(attr, 0);
	}
	return rc ? rc : posix_spawnattr_setflags(attr, flags);
}

static pid_t start(const struct spawn_plan *plan,
    posix_spawn_file_actions_t *acts, posix_spawnattr_t *attr, int *parked)
{
	pid_t pid;
	int rc = plan_fds(plan, acts, parked);
	if (!rc)
		rc = plan_attributes(plan, attr);
	if (!rc)
		rc = posix_spawnp(&pid, plan->path, acts, attr, plan->argv,
		    plan->envp ? plan->envp : environ);
	if (!rc)
		return pid;
	errno = rc;
	return -1;
}

pid_t spawn_start(const struct spawn_plan *plan)
{
	posix_spawn_file_actions_t acts;
	posix_spawnattr_t attr;
	int parked[PARKED_MAX];
	if (plan->n_fds > sizeof parked / sizeof *parked) {
		errno = E2BIG;
		return -1;
	}
	for (size_t i = 0; i < plan->n_fds; i++)
		parked[i] = -1;
	if (posix_spawn_file_actions_init(&acts) != 0)
		return -1;
	if (posix_spawnattr_init(&attr) != 0) {
		(void)posix_spawn_file_actions_destroy(&acts);
		return -1;
	}
	pid_t pid = start(plan, &acts, &attr, parked);
	int why = errno;
	for (size_t i = 0; i < plan->n_fds; i++)
		if (parked[i] >= 0)
			close(parked[i]);
	(void)posix_spawn_file_actions_destroy(&acts);
	(void)posix_spawnattr_destroy(&attr);
	errno = why;
	return pid;
}

const char *spawn_status(int status, char *out, size_t size)
{
	if (WIFSIGNALED(status))
		(void)snprintf(out, size, "signal %d (%s)", WTERMSIG(status),
		    strsignal(WTERMSIG(status)));
	else
		(void)snprintf(out, size, "exit %d", WEXITSTATUS(status));
	return out;
}
