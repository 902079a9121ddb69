/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "proc/tree.h"

#include "proc/pids.h"
#include "proc/resident.h"

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

/*
 * The less memory is left, the more often it is checked: we assume that no
 * program fills it faster than this many bytes per millisecond.
 */
#define FILL_BYTES_PER_MS (4 << 20)
#define LOOK_MIN_MS 20

/* The maximum distance that RLIMIT_NPROC may move from where it began. */
#define WALL_MOVES 4096

/*
 * Processes that cannot be killed (stuck in the kernel) are abandoned after
 * this.
 */
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

static bool is_nest(pid_t pid)
{
	char path[64], name[32];

	(void)snprintf(path, sizeof path, "/proc/%ld/comm", (long)pid);
	return cgroup_read_file(path, name, sizeof name) &&
	       strcmp(name, TREE_NEST_NAME "\n") == 0;
}

/* Find all processes below us except those of nests. */
static void find_tree(const struct tree *t, struct pids *p)
{
	pids_add_children(p, getpid());
	p->n_threads = 0; /* our own do not count */
	for (size_t i = 0; i < p->n;) {
		if (t->has_nests && is_nest(p->list[i]))
			p->list[i] = p->list[--p->n];
		else
			pids_add_children(p, p->list[i++]);
	}
}

static void note_nests(const struct pids *seen, struct pids *nests)
{
	for (size_t i = 0; i < seen->n; i++)
		if (is_nest(seen->list[i]) && !pids_has(nests, seen->list[i]))
			pids_add(nests, seen->list[i]);
}

/* Nests that were killed cannot remove their groups themselves. */
static void clear_nests(struct pids *nests)
{
	for (size_t i = 0; i < nests->n; i++)
		cgroup_clear(nests->list[i]);
	pids_fini(nests);
}

/* Reap all children that have ended. Returns true when no child is left. */
static bool tree_reap(pid_t program, int *status)
{
	int one;
	pid_t pid;

	while ((pid = waitpid(-1, &one, WNOHANG)) > 0)
		if (pid == program)
			*status = one;
	return pid < 0 && errno == ECHILD;
}

/* Returns false if some cannot be killed. */
static bool kill_all(struct tree *t)
{
	int64_t until = now_ms() + KILL_LIMIT_MS;
	pid_t us = getpid();
	const struct pids self = {.list = &us, .n = 1};
	struct pids seen = {0}, nests = {0};
	struct pollfd child = {.fd = t->signals, .events = POLLIN};
	struct signalfd_siginfo info;
	bool is_dead;

	while (!(is_dead = tree_reap(t->program, &t->status))) {
		cgroup_kill(&t->groups);
		seen.n = 0;
		pids_stop_below(&self, &seen);
		if (t->has_nests)
			note_nests(&seen, &nests);
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
	clear_nests(&nests);
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
 * RLIMIT_NPROC counts every process of the user, so the system-wide count is
 * added. It is only a wall against fork bombs; counting the tree is the exact
 * limit. The wall moves as other processes come, up to a bound that a bomb
 * cannot raise.
 */
static rlim_t find_wall(const struct tree *t)
{
	char text[128];
	long total = 0;

	if (!cgroup_read_file("/proc/loadavg", text, sizeof text) ||
	    sscanf(text, "%*f %*f %*f %*d/%ld", &total) != 1)
		return RLIM_INFINITY;
	return (rlim_t)(total + t->limits.processes);
}

static bool has_wall(const struct tree *t)
{
	return t->limits.processes && !t->groups.is_limited && getuid() != 0;
}

static rlim_t least(rlim_t a, rlim_t b)
{
	return a < b ? a : b; /* RLIM_INFINITY is the largest value */
}

void tree_limit_processes(const struct tree *t, pid_t pid)
{
	struct rlimit r;

	if (!has_wall(t) || prlimit(pid, RLIMIT_NPROC, NULL, &r) != 0)
		return;
	rlim_t wall = find_wall(t);
	if (wall == RLIM_INFINITY)
		return;
	rlim_t more = t->processes_most > t->limits.processes
			  ? (rlim_t)(t->processes_most - t->limits.processes)
			  : 0;
	r.rlim_max = least(r.rlim_max, wall + WALL_MOVES + more);
	r.rlim_cur = least(r.rlim_max, wall);
	if (prlimit(pid, RLIMIT_NPROC, &r, NULL) != 0)
		tree_say(t->errors, "cannot set a limit: %s", strerror(errno));
}

/* Otherwise, other turns of the same user would use up this turn's share. */
static void move_wall(const struct tree *t, const struct pids *p)
{
	rlim_t wall = has_wall(t) ? find_wall(t) : RLIM_INFINITY;
	struct rlimit r;

	for (size_t i = 0; wall != RLIM_INFINITY && i < p->n; i++) {
		if (prlimit(p->list[i], RLIMIT_NPROC, NULL, &r) != 0 ||
		    r.rlim_cur >= least(r.rlim_max, wall))
			continue;
		r.rlim_cur = least(r.rlim_max, wall);
		/* A process that became another user has a wall of its own. */
		(void)prlimit(p->list[i], RLIMIT_NPROC, &r, NULL);
	}
}

/* ---- the turnstile ---- */

static bool needs_turnstile(const struct tree *t)
{
	return t->limits.processes && !t->groups.is_limited && getuid() == 0;
}

void tree_open_turnstile(struct tree *t)
{
	if (needs_turnstile(t))
		(void)turnstile_open(&t->turnstile); /* else we count alone */
	t->room = 0;
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

enum tree_hold tree_hold(void)
{
	struct cgroups groups = {0};

	cgroup_make(&groups, &(struct cgroup_limits){.processes = 1});
	cgroup_remove(&groups);
	if (groups.is_limited)
		return TREE_HELD_BY_GROUP;
	if (getuid() != 0)
		return TREE_HELD_BY_RLIMIT;
	return turnstile_works() ? TREE_HELD_BY_TURNSTILE : TREE_NOT_HELD;
}

/* ---- waiting ---- */

enum outcome { GOES_ON, ENDED, ENDING, OVER_LIMIT, OVER_MEMORY, ASKED };

static bool counts_processes(const struct tree *t)
{
	return t->limits.processes && !t->groups.is_limited;
}

static bool counts_memory(const struct tree *t)
{
	return t->limits.memory_bytes && !t->groups.holds_memory;
}

/*
 * The quick answer is too high if pages are shared, so it is final only if low.
 */
static bool is_over_memory(struct tree *t, const struct pids *p)
{
	t->bytes_seen = resident_bytes(p);
	if (t->bytes_seen > t->limits.memory_bytes)
		t->bytes_seen = resident_exact(p);
	return t->bytes_seen > t->limits.memory_bytes;
}

static int64_t pause_ms(const struct tree *t)
{
	int64_t ms = COUNT_INTERVAL_MS;

	if (counts_memory(t))
		ms = (t->limits.memory_bytes - t->bytes_seen) /
		     FILL_BYTES_PER_MS;
	if (ms > COUNT_INTERVAL_MS)
		ms = COUNT_INTERVAL_MS;
	return ms > LOOK_MIN_MS ? ms : LOOK_MIN_MS;
}

/*
 * A tree of many turns is not ended for what one of them does: new processes
 * are refused, and threads let in.
 */
static bool is_shared(const struct tree *t)
{
	return t->processes_most > t->limits.processes;
}

static bool has_too_many(const struct tree *t)
{
	long most = is_shared(t) ? t->processes_most : t->limits.processes;

	return counts_processes(t) && t->n_seen > (size_t)most;
}

/* Check what the kernel does not limit for us, when it is due. */
static enum outcome tree_look(struct tree *t)
{
	struct pids tree = {0};
	enum outcome outcome = GOES_ON;

	if ((!counts_processes(t) && !counts_memory(t)) ||
	    now_ms() < t->look_at_ms)
		return GOES_ON;
	find_tree(t, &tree);
	move_wall(t, &tree);
	t->n_seen = t->turnstile.listener >= 0 ? tree.n_threads : tree.n;
	if (has_too_many(t))
		outcome = OVER_LIMIT;
	else if (counts_memory(t) && is_over_memory(t, &tree))
		outcome = OVER_MEMORY;
	pids_fini(&tree);
	t->look_at_ms = now_ms() + pause_ms(t);
	return outcome;
}

/*
 * There is room for as many as were missing at the last count. A process that
 * did not join but executed another program was counted for nothing. When the
 * room is used up, we count again before another is let in. Less than none is
 * how many are too many and have to go.
 */
static enum outcome mind_turnstile(struct tree *t)
{
	if (t->room == 0) {
		t->look_at_ms = 0;
		enum outcome outcome = tree_look(t);
		if (outcome != GOES_ON)
			return outcome;
		t->room = t->limits.processes - (long)t->n_seen + 1;
	}
	bool has_room = t->room > 0;
	t->room += has_room ? -1 : t->room < 0;
	if (!(has_room ? turnstile_let_in(&t->turnstile)
		       : turnstile_refuse(&t->turnstile)))
		turnstile_close(&t->turnstile);
	return GOES_ON;
}

/* Returns -1 for never. */
static int until_look_ms(const struct tree *t)
{
	if (!counts_processes(t) && !counts_memory(t))
		return -1;
	int64_t left = t->look_at_ms - now_ms();
	return left > 0 ? (int)left : 0;
}

bool tree_take_signals(struct tree *t)
{
	struct signalfd_siginfo info;
	bool must_end = false;

	while (read(t->signals, &info, sizeof info) == sizeof info)
		must_end |= info.ssi_signo != SIGCHLD;
	(void)tree_reap(t->program, &t->status);
	return must_end;
}

static void allow_more(struct tree *t, long processes)
{
	if (t->limits.processes >= t->processes_most)
		return;
	t->limits.processes += processes;
	if (t->limits.processes > t->processes_most)
		t->limits.processes = t->processes_most;
	cgroup_allow(&t->groups, t->limits.processes);
	t->look_at_ms = 0; /* which moves the wall */
}

/* The program may not lead its group yet, or not exist any more. */
static void signal_group(const struct tree *t, int signo)
{
	if (t->status == -1 && kill(-t->program, signo) != 0)
		(void)kill(t->program, signo);
}

/* Returns false if the order ends the tree. */
static bool heed_order(struct tree *t, char order)
{
	switch (order) {
	case TREE_MORE:
		allow_more(t, TREE_MORE_PROCESSES);
		return true;
	case TREE_INTERRUPT:
		signal_group(t, SIGINT);
		return true;
	case TREE_TERMINATE:
		signal_group(t, SIGTERM);
		return true;
	default:
		return false;
	}
}

static enum outcome heed_worker(struct tree *t)
{
	char bytes[64];
	ssize_t n = read(t->control, bytes, sizeof bytes);

	if (n <= 0)
		return ENDING;
	for (ssize_t i = 0; i < n; i++)
		if (!heed_order(t, bytes[i]))
			return ENDING;
	return GOES_ON;
}

/* Wait for the worker, for a signal, or for a process at the turnstile. */
static enum outcome wait_for_news(struct tree *t)
{
	struct pollfd fds[] = {
	    {.fd = t->signals, .events = POLLIN},
	    {.fd = t->control, .events = POLLIN},
	    {.fd = t->turnstile.listener, .events = POLLIN},
	};
	if (poll(fds, 3, until_look_ms(t)) <= 0)
		return GOES_ON;
	if (fds[1].revents && heed_worker(t) != GOES_ON)
		return ENDING;
	return fds[2].revents ? mind_turnstile(t) : GOES_ON;
}

static enum outcome wait_for_end(struct tree *t)
{
	enum outcome outcome = GOES_ON;

	t->bytes_seen = 0;
	t->look_at_ms = now_ms() + pause_ms(t);
	while (outcome == GOES_ON) {
		if (tree_take_signals(t))
			return ASKED;
		if (t->status != -1)
			return ENDED;
		outcome = wait_for_news(t);
		if (outcome == GOES_ON)
			outcome = tree_look(t);
	}
	return outcome;
}

/* A shell reports the signal that killed its program as 128 plus its number. */
static bool was_killed(int status)
{
	return (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) ||
	       (WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGKILL);
}

/*
 * Whether the kernel killed the program, or what it waited for, for lack of
 * memory.
 */
static bool had_no_memory(const struct tree *t)
{
	return was_killed(t->status) &&
	       cgroup_oom_kills(&t->groups) > t->oom_kills;
}

static void report(const struct tree *t, enum outcome outcome)
{
	if (outcome == OVER_MEMORY || (outcome == ENDED && had_no_memory(t)))
		(void)dprintf(
		    t->control, "memory %lld\n", (long long)t->bytes_seen);
	else if (outcome == ENDED)
		(void)dprintf(t->control, "exit %d\n", t->status);
	else if (outcome == OVER_LIMIT)
		(void)dprintf(t->control, "limit %zu\n", t->n_seen);
}

enum tree_end tree_run(struct tree *t)
{
	t->oom_kills = cgroup_oom_kills(&t->groups);
	enum outcome outcome = wait_for_end(t);

	report(t, outcome);
	bool is_dead = kill_all(t); /* nothing gets in meanwhile */
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
