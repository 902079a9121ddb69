/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "proc/tree.h"

#include <dirent.h>
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

/*
 * How often processes are counted where the kernel does not limit them for us.
 */
#define COUNT_INTERVAL_MS 500

/* Processes that cannot be killed (stuck in the kernel) are left after this. */
#define KILL_LIMIT_MS 10000

/* Passes over a tree that grows while it is stopped. */
#define STOP_PASSES 200

/* A growing list of processes. */
struct pids {
	pid_t *list;
	size_t n;
	size_t cap;
};

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

static bool has_pid(const struct pids *p, pid_t pid)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->list[i] == pid)
			return true;
	return false;
}

/* Without memory a process is missed in this pass, and found in the next. */
static void add_pid(struct pids *p, pid_t pid)
{
	if (p->n == p->cap) {
		size_t cap = p->cap ? p->cap * 2 : 64;
		pid_t *list = realloc(p->list, cap * sizeof *list);
		if (!list)
			return;
		p->list = list;
		p->cap = cap;
	}
	p->list[p->n++] = pid;
}

/* ---- the tree ---- */

/* Add the children of one thread. */
static void add_children(struct pids *p, const char *path)
{
	FILE *f = fopen(path, "re");
	long pid;

	if (!f)
		return;
	while (fscanf(f, "%ld", &pid) == 1)
		if (!has_pid(p, (pid_t)pid))
			add_pid(p, (pid_t)pid);
	(void)fclose(f);
}

static void add_children_of(struct pids *p, pid_t pid)
{
	char path[300];

	(void)snprintf(path, sizeof path, "/proc/%ld/task", (long)pid);
	DIR *tasks = opendir(path);
	if (!tasks)
		return;
	for (struct dirent *e; (e = readdir(tasks));) {
		if (e->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof path,
		    "/proc/%ld/task/%.20s/children", (long)pid, e->d_name);
		add_children(p, path);
	}
	(void)closedir(tasks);
}

/* All processes below us, as far as a tree that moves can be seen. */
static void find_tree(struct pids *p)
{
	p->n = 0;
	add_children_of(p, getpid());
	for (size_t i = 0; i < p->n; i++)
		add_children_of(p, p->list[i]);
}

/*
 * Stop first and kill then: a process that is stopped cannot fork, so the tree
 * holds still after a few passes, however fast it grew.
 */
static void stop_tree(struct pids *seen)
{
	struct pids now = {0};

	for (int pass = 0; pass < STOP_PASSES; pass++) {
		bool is_new = false;
		find_tree(&now);
		for (size_t i = 0; i < now.n; i++) {
			if (has_pid(seen, now.list[i]))
				continue;
			is_new = true;
			(void)kill(now.list[i], SIGSTOP);
			add_pid(seen, now.list[i]);
		}
		if (!is_new)
			break;
	}
	free(now.list);
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
	struct pids seen = {0};
	struct pollfd child = {.fd = t->signals, .events = POLLIN};
	struct signalfd_siginfo info;
	bool is_dead;

	while (!(is_dead = reap(t->program, &t->status))) {
		cgroup_kill(&t->groups);
		seen.n = 0;
		stop_tree(&seen);
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
	free(seen.list);
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

/* ---- waiting ---- */

enum outcome { ENDED, ENDING, OVER_LIMIT, ASKED };

/* Whether we have to count, and there are too many. */
static bool is_over_limit(struct tree *t)
{
	struct pids tree = {0};

	if (!t->processes || t->groups.is_limited)
		return false;
	find_tree(&tree);
	t->n_seen = tree.n;
	free(tree.list);
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
	};
	bool counts = t->processes && !t->groups.is_limited;
	char byte;

	for (;;) {
		if (tree_take_signals(t))
			return ASKED;
		if (t->status != -1)
			return ENDED;
		int n = poll(fds, 2, counts ? COUNT_INTERVAL_MS : -1);
		if (n > 0 && fds[1].revents) {
			/* Left unread, it would reset the socket. */
			(void)!read(t->control, &byte, 1);
			return ENDING;
		}
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
	if (!kill_all(t))
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
