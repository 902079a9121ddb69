/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "proc/tree.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proc/pids.h"

/*
 * How often processes are counted where the kernel does not limit them for us.
 */
#define COUNT_INTERVAL_MS 500

/* At a turnstile they are counted when it seems full, no more often than so. */
#define RECOUNT_MS 20

/* Processes that cannot be killed (stuck in the kernel) are left after this. */
#define KILL_LIMIT_MS 10000

/* ---- small things ---- */

void tree_say(int fd, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	(void)dprintf(fd, "co-turn: %s\n", text);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- the tree ---- */

/* All processes below us. */
static void find_tree(struct pids *p)
{
	pids_add_children(p, getpid());
	p->n_threads = 0; /* ours do not count */
	pids_add_below(p);
}

/* Reap all that have ended; true when no child is left. */
static bool reap(pid_t program, int *status)
{
	int one;
	pid_t pid;

	while ((pid = waitpid(-1, &one, WNOHANG)) > 0)
		if (pid == program)
			*status = one;
	return pid < 0 && errno == ECHILD;
}

/* False when some cannot be killed. */
static bool kill_all(struct tree *t)
{
	int64_t until = now_ms() + KILL_LIMIT_MS;
	pid_t us = getpid();
	const struct pids self = {.list = &us, .n = 1};
	struct pids seen = {0};
	struct pollfd child = {.fd = t->signals, .events = POLLIN};
	struct signalfd_siginfo info;
	bool is_dead;

	while (!(is_dead = reap(t->program, &t->status))) {
		cgroup_kill(&t->groups);
		seen.n = 0;
		pids_stop_below(&self, &seen);
		for (size_t i = 0; i < seen.n; i++)
			(void)kill(seen.list[i], SIGKILL);
		if (now_ms() > until) {
			tree_say(t->errors, "%zu processes cannot be killed",
			    seen.n);
			break;
		}
		(void)poll(&child, 1, 10);
		while (read(t->signals, &info, sizeof info) > 0)
			;
	}
	pids_fini(&seen);
	return is_dead;
}

/* ---- limits ---- */

void tree_limit(const struct tree *t, pid_t pid,
    enum __rlimit_resource resource, rlim_t max)
{
	struct rlimit now;

	if (prlimit(pid, resource, NULL, &now) == 0 && max > now.rlim_max)
		max = now.rlim_max;
	const struct rlimit both = {max, max};
	if (prlimit(pid, resource, &both, NULL) != 0)
		tree_say(t->errors, "cannot set a limit: %s", strerror(errno));
}

/*
 * RLIMIT_NPROC counts every process of the user, so the system's count is
 * added: it is a wall against bombs, and the count of the tree does the exact
 * work.
 */
void tree_limit_processes(const struct tree *t, pid_t pid)
{
	char text[128];
	long total = 0;

	if (!t->processes || t->groups.is_limited)
		return;
	if (!cgroup_read_file("/proc/loadavg", text, sizeof text) ||
	    sscanf(text, "%*f %*f %*f %*d/%ld", &total) != 1)
		return;
	tree_limit(t, pid, RLIMIT_NPROC, (rlim_t)(total + t->processes));
}

/* ---- the turnstile ---- */

static bool needs_turnstile(const struct tree *t)
{
	return t->processes && !t->groups.is_limited && getuid() == 0;
}

void tree_open_turnstile(struct tree *t)
{
	if (needs_turnstile(t))
		(void)turnstile_open(&t->turnstile); /* else we count alone */
	t->room = 0;
	t->counted_ms = 0;
}

void tree_enter_turnstile(struct tree *t)
{
	if (t->turnstile.pair[1] >= 0)
		(void)turnstile_enter(&t->turnstile);
}

void tree_take_turnstile(struct tree *t)
{
	if (t->turnstile.pair[0] >= 0)
		(void)turnstile_take(&t->turnstile);
}

/*
 * Who left is noticed when there seems to be no room any more. Who was let in
 * and is not born yet is overlooked; there are few of them at any time.
 */
static void mind_turnstile(struct tree *t)
{
	struct pids tree = {0};

	if (t->room <= 0 && now_ms() - t->counted_ms >= RECOUNT_MS) {
		find_tree(&tree);
		t->room = t->processes - (long)tree.n_threads;
		t->counted_ms = now_ms();
		pids_fini(&tree);
	}
	if (!turnstile_answer(&t->turnstile, &t->room))
		turnstile_close(&t->turnstile);
}

enum tree_hold tree_hold(void)
{
	struct cgroups groups = {0};

	cgroup_make(&groups, 1);
	cgroup_remove(&groups);
	if (groups.is_limited)
		return TREE_HELD_BY_GROUP;
	if (getuid() != 0)
		return TREE_HELD_BY_RLIMIT;
	return turnstile_works() ? TREE_HELD_BY_TURNSTILE : TREE_NOT_HELD;
}

/* ---- waiting ---- */

enum outcome { ENDED, ENDING, OVER_LIMIT, ASKED };

static bool has_to_count(const struct tree *t)
{
	return t->processes && !t->groups.is_limited &&
	       t->turnstile.listener < 0;
}

/* Whether we have to count, and there are too many. */
static bool is_over_limit(struct tree *t)
{
	struct pids tree = {0};

	if (!has_to_count(t))
		return false;
	find_tree(&tree);
	t->n_seen = tree.n;
	pids_fini(&tree);
	return t->n_seen > (size_t)t->processes;
}

bool tree_take_signals(struct tree *t)
{
	struct signalfd_siginfo info;
	bool must_end = false;

	while (read(t->signals, &info, sizeof info) == sizeof info)
		must_end |= info.ssi_signo != SIGCHLD;
	(void)reap(t->program, &t->status);
	return must_end;
}

static enum outcome wait_for_end(struct tree *t)
{
	struct pollfd fds[] = {
	    {.fd = t->signals, .events = POLLIN},
	    {.fd = t->control, .events = POLLIN},
	    {.events = POLLIN},
	};
	char byte;

	for (;;) {
		if (tree_take_signals(t))
			return ASKED;
		if (t->status != -1)
			return ENDED;
		fds[2].fd = t->turnstile.listener;
		int n = poll(fds, 3, has_to_count(t) ? COUNT_INTERVAL_MS : -1);
		if (n > 0 && fds[1].revents) {
			/* Left unread, it would reset the socket. */
			(void)!read(t->control, &byte, 1);
			return ENDING;
		}
		if (n > 0 && fds[2].revents)
			mind_turnstile(t);
		if (is_over_limit(t))
			return OVER_LIMIT;
	}
}

static void report(const struct tree *t, enum outcome outcome)
{
	if (outcome == ENDED)
		(void)dprintf(t->control, "exit %d\n", t->status);
	else if (outcome == OVER_LIMIT)
		(void)dprintf(t->control, "limit %zu\n", t->n_seen);
}

enum tree_end tree_run(struct tree *t)
{
	enum outcome outcome = wait_for_end(t);

	report(t, outcome);
	bool is_dead = kill_all(t); /* nobody gets in meanwhile */
	turnstile_close(&t->turnstile);
	if (!is_dead)
		return TREE_STUCK;
	return outcome == ASKED ? TREE_ASKED : TREE_OVER;
}

/* ---- start ---- */

int tree_open_signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGQUIT);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}
