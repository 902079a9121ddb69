/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "proc/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

/*
 * A hierarchy at the place where Debian mounts it; its name is "" for version
 * 2.
 */
struct hierarchy {
	const char *mount, *name;
	long magic; /* of the file system found there if mounted */
};

static const struct hierarchy unified = {
    "/sys/fs/cgroup", "", CGROUP2_SUPER_MAGIC};
static const struct hierarchy hybrid = {
    "/sys/fs/cgroup/unified", "", CGROUP2_SUPER_MAGIC};
static const struct hierarchy pids = {
    "/sys/fs/cgroup/pids", "pids", CGROUP_SUPER_MAGIC};

static bool cgroup_write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool is_ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	(void)close(fd); /* cgroup files report errors at write */
	return is_ok;
}

bool cgroup_read_file(const char *path, char *out, size_t size)
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

/*
 * Get the path of our own group in the hierarchy with this name ("" for version
 * 2).
 */
static bool own_group(const char *name, char *out, size_t size)
{
	char text[8192];
	char *save = NULL;

	if (!cgroup_read_file("/proc/self/cgroup", text, sizeof text))
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
 * Get the path of the group for a process with this pid, beside our own.
 * Returns false where the hierarchy is not mounted: a plain folder in its place
 * would accept the group's name and do nothing.
 */
static bool find_group(const struct hierarchy *h, pid_t pid, struct cgroup *g)
{
	char own[PATH_MAX - 256];
	struct statfs fs;

	if (statfs(h->mount, &fs) != 0 || (long)fs.f_type != h->magic ||
	    !own_group(h->name, own, sizeof own))
		return false;
	(void)snprintf(g->path, sizeof g->path, "%s%s/co-turn-%ld", h->mount,
	    own, (long)pid);
	return true;
}

/*
 * Failing to create it is normal: then we do without. A group that already has
 * our name was left behind by a killed process that had our pid before us.
 */
static bool make_group(struct cgroup *g, const struct hierarchy *h)
{
	if (find_group(h, getpid(), g) &&
	    (mkdir(g->path, 0755) == 0 ||
		(errno == EEXIST && rmdir(g->path) == 0 &&
		    mkdir(g->path, 0755) == 0)))
		return true;
	g->path[0] = '\0';
	return false;
}

/* Write the text to this file of the group. Returns whether it was accepted. */
static bool set_group(
    const struct cgroup *g, const char *file, const char *text)
{
	char path[PATH_MAX + 32];

	if (!g->path[0])
		return false;
	(void)snprintf(path, sizeof path, "%s/%s", g->path, file);
	return cgroup_write_file(path, text);
}

/*
 * Only where the group has this controller anyway. In version 1 each turn would
 * need a group of its own, and the kernel keeps the remains of such groups for
 * as long as a page of a file is charged to them.
 */
static void limit_memory(struct cgroups *g, int64_t bytes)
{
	char max[32];

	(void)snprintf(max, sizeof max, "%lld", (long long)bytes);
	g->holds_memory = bytes && set_group(&g->unified, "memory.max", max);
	if (!g->holds_memory)
		return;
	(void)set_group(&g->unified, "memory.swap.max", "0");
	(void)set_group(&g->unified, "memory.oom.group", "1");
}

/* Find the file in which the kernel counts OOM kills in our group and below. */
static void find_oom_events(struct cgroups *g)
{
	static const struct {
		const char *mount, *name, *file;
	} places[] = {
	    {"/sys/fs/cgroup", "", "memory.events"},
	    {"/sys/fs/cgroup/memory", "memory", "memory.oom_control"},
	};
	char own[PATH_MAX - 256];

	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		if (!own_group(places[i].name, own, sizeof own))
			continue;
		(void)snprintf(g->oom_events, sizeof g->oom_events, "%s%s/%s",
		    places[i].mount, own, places[i].file);
		if (access(g->oom_events, R_OK) == 0)
			return;
	}
	g->oom_events[0] = '\0';
}

/* Returns whether the kernel holds it. */
static bool limit_processes(const struct cgroup *g, long processes)
{
	char max[32];

	(void)snprintf(max, sizeof max, "%ld", processes);
	return set_group(g, "pids.max", max);
}

void cgroup_make(struct cgroups *g, const struct cgroup_limits *limits)
{
	if (!make_group(&g->unified, &unified))
		(void)make_group(&g->unified, &hybrid);
	limit_memory(g, limits->memory_bytes);
	find_oom_events(g);
	if (!limits->processes)
		return;
	g->is_limited = limit_processes(&g->unified, limits->processes);
	if (g->is_limited || !make_group(&g->pids, &pids))
		return;
	g->is_limited = limit_processes(&g->pids, limits->processes);
}

void cgroup_allow(const struct cgroups *g, long processes)
{
	if (g->is_limited && !limit_processes(&g->unified, processes))
		(void)limit_processes(&g->pids, processes);
}

void cgroup_enter(const struct cgroups *g, pid_t pid)
{
	char text[24];

	(void)snprintf(text, sizeof text, "%ld", (long)pid);
	(void)set_group(&g->unified, "cgroup.procs", text);
	(void)set_group(&g->pids, "cgroup.procs", text);
}

/* A group stays busy for a moment after its last process was reaped. */
static void remove_group(const struct cgroup *g)
{
	const struct timespec pause = {.tv_nsec = 1000000};

	for (int i = 0; g->path[0] && i < 100; i++) {
		if (rmdir(g->path) == 0 || errno != EBUSY)
			return;
		(void)nanosleep(&pause, NULL);
	}
}

/* Returns the number after "oom_kill " in a file. */
static long read_oom_kills(const char *path)
{
	static const char name[] = "oom_kill ";
	char text[1024];
	const char *at = cgroup_read_file(path, text, sizeof text)
			     ? strstr(text, name)
			     : NULL;

	return at ? strtol(at + sizeof name - 1, NULL, 10) : 0;
}

long cgroup_oom_kills(const struct cgroups *g)
{
	return *g->oom_events ? read_oom_kills(g->oom_events) : 0;
}

void cgroup_kill(const struct cgroups *g)
{
	(void)set_group(&g->unified, "cgroup.kill", "1");
}

static void clear_group(const struct hierarchy *h, pid_t maker)
{
	struct cgroup g;

	if (!find_group(h, maker, &g))
		return;
	(void)set_group(&g, "cgroup.kill", "1");
	(void)rmdir(g.path); /* a busy one will be empty the next time */
}

void cgroup_clear(pid_t maker)
{
	clear_group(&unified, maker);
	clear_group(&hybrid, maker);
	clear_group(&pids, maker);
}

void cgroup_remove(struct cgroups *g)
{
	remove_group(&g->unified);
	remove_group(&g->pids);
	g->unified.path[0] = g->pids.path[0] = '\0';
}
