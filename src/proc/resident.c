/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "proc/resident.h"

#include "proc/cgroup.h"
#include "proc/pids.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool resident_read_file(
    pid_t pid, const char *name, char *out, size_t size)
{
	char path[64];

	(void)snprintf(path, sizeof path, "/proc/%ld/%s", (long)pid, name);
	return cgroup_read_file(path, out, size);
}

/* A process that has ended has none. */
static int64_t rss_of(pid_t pid)
{
	char text[256];
	long pages = 0;

	if (!resident_read_file(pid, "statm", text, sizeof text) ||
	    sscanf(text, "%*d %ld", &pages) != 1)
		return 0;
	return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

static int64_t pss_of(pid_t pid)
{
	static const char name[] = "\nPss:";
	char text[4096];

	if (!resident_read_file(pid, "smaps_rollup", text, sizeof text))
		return rss_of(pid);
	const char *pss = strstr(text, name);
	return pss ? strtoll(pss + sizeof name - 1, NULL, 10) * 1024
		   : rss_of(pid);
}

int64_t resident_bytes(const struct pids *p)
{
	int64_t sum = 0;

	for (size_t i = 0; i < p->n; i++)
		sum += rss_of(p->list[i]);
	return sum;
}

int64_t resident_exact(const struct pids *p)
{
	int64_t sum = 0;

	for (size_t i = 0; i < p->n; i++)
		sum += pss_of(p->list[i]);
	return sum;
}
