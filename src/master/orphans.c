/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "master/orphans.h"

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/clock.h"
#include "master/children.h"
#include "proc/cgroup.h"
#include "proc/pids.h"

/* A co-turn gives up after 10 s; whoever kills it kills soon. */
#define LOOK_MS 15000

static bool is_co_turn(pid_t pid)
{
	char path[64], name[32];

	(void)snprintf(path, sizeof path, "/proc/%ld/comm", (long)pid);
	return cgroup_read_file(path, name, sizeof name) &&
	       strcmp(name, "co-turn\n") == 0;
}

static bool is_known(void *arg, pid_t pid)
{
	const struct children *c = arg;

	for (unsigned i = 0; i < c->n_slots; i++)
		if (c->child[i].pid == pid)
			return true;
	return is_co_turn(pid);
}

void orphans_inherit(void)
{
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1); /* cannot fail */
}

void orphans_expect(struct orphans *o)
{
	o->look_until_ms = clock_mono_ms() + LOOK_MS;
}

void orphans_end(const struct orphans *o, struct children *c)
{
	if (clock_mono_ms() < o->look_until_ms)
		(void)pids_kill_strangers(is_known, c);
}
