/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
/*
 * co-turn runs one program for a worker and lets nothing of it survive.
 *
 *	co-turn PARENT MEMORY PROCESSES PROGRAM ARGUMENT...
 *	co-turn PARENT MEMORY PROCESSES --adopt PID
 *
 * PARENT is the worker's pid, MEMORY the bytes of address space of each
 * process, PROCESSES how many there may be (0: as many as it likes). The second
 * form is for a process that forked a child, became a subreaper and executes
 * co-turn: PID is this child, which has its descriptors and limits on memory
 * already, and PARENT is whoever forked the process. Descriptors 0, 1 and 2 are the
 * program's; 3 is a socket to the worker. co-turn writes one line to it when
 * the program has ended: "exit STATUS", a wait status, or "limit COUNT" when
 * there were too many processes; its end of file says that no process is left.
 * A byte, or the end of file, from the worker ends everything at once.
 *
 * Nothing can escape by forking: co-turn is a subreaper, so what loses its
 * parent becomes a child of co-turn, and co-turn leaves only when it has no
 * child. It needs nothing but the C library, so that it starts in a fraction of
 * a millisecond.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CONTROL_FD 3

/*
 * How often processes are counted where the kernel does not limit them for us.
 */
#define COUNT_INTERVAL_MS 500

/* Processes that cannot be killed (stuck in the kernel) are left after this. */
#define KILL_LIMIT_MS 10000

/* Passes over a tree that grows while it is stopped. */
#define STOP_PASSES 200

struct limits {
	pid_t parent;
	rlim_t memory_bytes;
	long processes; /* 0: no limit */
};

/* A control group of ours; path is "" where there is none. */
struct group {
	char path[PATH_MAX];
};

struct groups {
	struct group unified; /* version 2: kills at a stroke */
	struct group pids;    /* version 1: limits the number of processes */
	bool is_limited;      /* one of them limits it */
};

/* A growing list of processes. */
struct pids {
	pid_t *list;
	size_t n;
	size_t cap;
};

/* ---- small things ---- */

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* To the agent log, by way of the program's standard error. */
static void say(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	(void)dprintf(STDERR_FILENO, "co-turn: %s\n", text);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool is_ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	(void)close(fd); /* cgroup files report at write */
	return is_ok;
}

/* Read a small file as text; false when it is not there. */
static bool read_file(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	size_t len = 0;
	ssize_t n;
	while (len < size - 1 && (n = read(fd, out + len, size - 1 - len)) > 0)
		len += (size_t)n;
	out[len] = '\0';
	(void)close(fd); /* nothing was written */
	return true;
}

static bool read_number(const char *text, long *value)
{
	char *end;

	errno = 0;
	*value = strtol(text, &end, 10);
	return errno == 0 && end != text && *end == '\0' && *value >= 0;
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

/* ---- control groups ---- */

/*
 * The path of our own group in the hierarchy with this name ("" for version 2).
 */
static bool own_group(const char *name, char *out, size_t size)
{
	char text[8192];
	char *save = NULL;

	if (!read_file("/proc/self/cgroup", text, sizeof text))
		return false;
	for (char *line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		char *names = strchr(line, ':');
		char *path = names ? strchr(names + 1, ':') : NULL;
		if (!path)
			continue;
		*path++ = '\0';
		if (strcmp(names + 1, name) != 0)
			continue;
		if (strcmp(path, "/") == 0)
			path = strchr(path, '\0');
		return (size_t)snprintf(out, size, "%s", path) < size;
	}
	return false;
}

/*
 * Make a group under the mount point, for hierarchies that are mounted where
 * Debian mounts them. That it cannot be made is usual: then we do without.
 */
static bool make_group(struct group *g, const char *mount, const char *name)
{
	char own[PATH_MAX - 256], path[PATH_MAX];

	if (!own_group(name, own, sizeof own))
		return false;
	(void)snprintf(
	    path, sizeof path, "%s%s/co-turn-%ld", mount, own, (long)getpid());
	if (mkdir(path, 0755) != 0)
		return false;
	memcpy(g->path, path, sizeof path);
	return true;
}

/* Whether the file of this name in the group took the text. */
static bool set_group(const struct group *g, const char *file, const char *text)
{
	char path[PATH_MAX + 32];

	if (!g->path[0])
		return false;
	(void)snprintf(path, sizeof path, "%s/%s", g->path, file);
	return write_file(path, text);
}

static void make_groups(struct groups *g, long processes)
{
	char max[32];

	(void)snprintf(max, sizeof max, "%ld", processes);
	if (!make_group(&g->unified, "/sys/fs/cgroup", ""))
		(void)make_group(&g->unified, "/sys/fs/cgroup/unified", "");
	if (!processes)
		return;
	g->is_limited = set_group(&g->unified, "pids.max", max);
	if (g->is_limited ||
	    !make_group(&g->pids, "/sys/fs/cgroup/pids", "pids"))
		return;
	g->is_limited = set_group(&g->pids, "pids.max", max);
}

/* Move a process; 0 is the caller. */
static void enter_groups(const struct groups *g, pid_t pid)
{
	char text[24];

	(void)snprintf(text, sizeof text, "%ld", (long)pid);
	(void)set_group(&g->unified, "cgroup.procs", text);
	(void)set_group(&g->pids, "cgroup.procs", text);
}

/* A group is busy for a moment after its last process was reaped. */
static void remove_group(const struct group *g)
{
	const struct timespec pause = {.tv_nsec = 1000000};

	for (int i = 0; g->path[0] && i < 100; i++) {
		if (rmdir(g->path) == 0 || errno != EBUSY)
			return;
		(void)nanosleep(&pause, NULL);
	}
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

static void kill_tree(
    const struct groups *g, int signals, pid_t program, int *status)
{
	int64_t until = now_ms() + KILL_LIMIT_MS;
	struct pids seen = {0};
	struct pollfd child = {.fd = signals, .events = POLLIN};
	struct signalfd_siginfo info;

	while (!reap(program, status)) {
		(void)set_group(&g->unified, "cgroup.kill", "1");
		seen.n = 0;
		stop_tree(&seen);
		for (size_t i = 0; i < seen.n; i++)
			(void)kill(seen.list[i], SIGKILL);
		if (now_ms() > until) {
			say("%zu processes cannot be killed", seen.n);
			break;
		}
		(void)poll(&child, 1, 10);
		while (read(signals, &info, sizeof info) > 0)
			;
	}
	free(seen.list);
}

/* ---- the program ---- */

/* Of the process pid; 0 is the caller. */
static void limit(pid_t pid, enum __rlimit_resource resource, rlim_t max)
{
	struct rlimit now;

	if (prlimit(pid, resource, NULL, &now) == 0 && max > now.rlim_max)
		max = now.rlim_max;
	const struct rlimit both = {max, max};
	if (prlimit(pid, resource, &both, NULL) != 0)
		say("cannot set a limit: %s", strerror(errno));
}

/*
 * RLIMIT_NPROC counts every process of the user, so the system's count is
 * added: it is a wall against bombs, and the count of the tree does the exact
 * work.
 */
static void limit_processes(pid_t pid, long processes)
{
	char text[128];
	long total = 0;

	if (!read_file("/proc/loadavg", text, sizeof text) ||
	    sscanf(text, "%*f %*f %*f %*d/%ld", &total) != 1)
		return;
	limit(pid, RLIMIT_NPROC, (rlim_t)(total + processes));
}

static void become_program(const struct limits *l, struct groups *g, pid_t us,
    char **argv) __attribute__((noreturn));

static void become_program(
    const struct limits *l, struct groups *g, pid_t us, char **argv)
{
	sigset_t none;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != us)
		_exit(127); /* co-turn died before the line above */
	(void)setsid();
	enter_groups(g, 0);
	limit(0, RLIMIT_CORE, 0);
	limit(0, RLIMIT_AS, l->memory_bytes);
	if (l->processes && !g->is_limited)
		limit_processes(0, l->processes);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	if (close_range(3, ~0u, 0) != 0)
		_exit(127);
	(void)execvp(argv[0], argv);
	say("cannot run %s: %s", argv[0], strerror(errno));
	_exit(127);
}

static pid_t start_program(
    const struct limits *l, struct groups *g, char **argv)
{
	pid_t us = getpid();
	pid_t pid = fork();

	if (pid == 0)
		become_program(l, g, us, argv);
	if (pid < 0)
		say("cannot fork: %s", strerror(errno));
	return pid;
}

/*
 * It runs already: what it forked until now is in the tree, but outside the
 * groups. Returns the pid, or -1 if it is no child of ours.
 */
static pid_t adopt_program(
    const struct limits *l, const struct groups *g, const char *text)
{
	siginfo_t info;
	long pid;

	if (!read_number(text, &pid) ||
	    waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
		say("no child of ours: %s", text);
		return -1;
	}
	enter_groups(g, (pid_t)pid);
	if (l->processes && !g->is_limited)
		limit_processes((pid_t)pid, l->processes);
	return (pid_t)pid;
}

/*
 * The program's ends must not stay open in us, or nobody would see them close.
 */
static void let_go_of_pipes(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return;
	(void)dup2(null, STDIN_FILENO);
	(void)dup2(null, STDOUT_FILENO);
	(void)close(null);
}

/* ---- waiting ---- */

enum outcome { ENDED, ENDING, OVER_LIMIT };

struct watch {
	int signals;
	pid_t program;
	int status;	    /* -1 until the program has ended */
	long max_processes; /* 0: the kernel counts */
	size_t processes;
};

static bool is_over_limit(struct watch *w)
{
	struct pids tree = {0};

	if (!w->max_processes)
		return false;
	find_tree(&tree);
	w->processes = tree.n;
	free(tree.list);
	return w->processes > (size_t)w->max_processes;
}

/* Take pending signals; true when one asks us to end. */
static bool take_signals(struct watch *w)
{
	struct signalfd_siginfo info;
	bool must_end = false;

	while (read(w->signals, &info, sizeof info) == sizeof info)
		must_end |= info.ssi_signo != SIGCHLD;
	(void)reap(w->program, &w->status);
	return must_end;
}

static enum outcome wait_for_end(struct watch *w)
{
	struct pollfd fds[] = {
	    {.fd = w->signals, .events = POLLIN},
	    {.fd = CONTROL_FD, .events = POLLIN},
	};
	char byte;

	for (;;) {
		if (take_signals(w))
			return ENDING;
		if (w->status != -1)
			return ENDED;
		int n = poll(fds, 2, w->max_processes ? COUNT_INTERVAL_MS : -1);
		if (n > 0 && fds[1].revents) {
			/* Left unread, it would reset the socket. */
			(void)!read(CONTROL_FD, &byte, 1);
			return ENDING;
		}
		if (is_over_limit(w))
			return OVER_LIMIT;
	}
}

static void report(const struct watch *w, enum outcome outcome)
{
	if (outcome == ENDED)
		(void)dprintf(CONTROL_FD, "exit %d\n", w->status);
	else if (outcome == OVER_LIMIT)
		(void)dprintf(CONTROL_FD, "limit %zu\n", w->processes);
}

/* ---- start ---- */

static int open_signals(void)
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

static bool read_limits(char **argv, struct limits *l)
{
	long parent, memory;

	if (!read_number(argv[1], &parent) || !read_number(argv[2], &memory) ||
	    !read_number(argv[3], &l->processes) || !parent || !memory)
		return false;
	l->parent = (pid_t)parent;
	l->memory_bytes = (rlim_t)memory;
	return true;
}

static int run(const struct limits *l, char **argv)
{
	static struct groups groups; /* large, and gone with us */
	struct watch w = {.signals = open_signals(), .status = -1};

	make_groups(&groups, l->processes);
	w.max_processes = groups.is_limited ? 0 : l->processes;
	w.program = strcmp(argv[0], "--adopt") == 0 && argv[1]
			? adopt_program(l, &groups, argv[1])
			: start_program(l, &groups, argv);
	let_go_of_pipes();
	if (w.program > 0) {
		report(&w, wait_for_end(&w));
		kill_tree(&groups, w.signals, w.program, &w.status);
	}
	remove_group(&groups.unified);
	remove_group(&groups.pids);
	return w.program > 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct limits limits;

	if (argc < 5 || !read_limits(argv, &limits)) {
		say("usage: co-turn PARENT MEMORY PROCESSES "
		    "PROGRAM ARGUMENT...|--adopt PID");
		return 2;
	}
	(void)fcntl(CONTROL_FD, F_SETFD, FD_CLOEXEC);
	(void)close_range(
	    CONTROL_FD + 1, ~0u, 0); /* nothing of who executed us */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
		say("cannot be a subreaper: %s", strerror(errno));
		return 1;
	}
	/* The socket tells the same; two ways are better than one. */
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != limits.parent)
		return 1;
	return run(&limits, argv + 4);
}
