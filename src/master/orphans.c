/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "master/orphans.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "master/children.h"
#include "proc/pids.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

/* A co-turn gives up after 10 s; the process that kills it does so soon. */
#define SPARE_MS 11000
#define LOOK_MS 15000

struct look {
	struct orphans *orphans;
	const struct children *children;
};

static bool is_same_file(const struct stat *x, const struct stat *y)
{
	return x->st_ino == y->st_ino && x->st_dev == y->st_dev;
}

/*
 * An upgrade replaces the file: old workers run the old one, new ones the new.
 */
static bool is_co_turn(const struct orphans *o, pid_t pid)
{
	char path[64];
	struct stat its, now;

	(void)snprintf(path, sizeof path, "/proc/%ld/exe", (long)pid);
	if (stat(path, &its) != 0)
		return false;
	return is_same_file(&its, &o->first) ||
	       (stat(o->co_turn, &now) == 0 && is_same_file(&its, &now));
}

static bool is_spared(struct orphans *o, pid_t pid)
{
	for (size_t i = 0; i < o->n_spared; i++)
		if (o->spared[i].pid == pid)
			return clock_mono_ms() < o->spared[i].until_ms;
	if (!is_co_turn(o, pid))
		return false;
	o->spared =
	    mem_realloc(o->spared, (o->n_spared + 1) * sizeof *o->spared);
	o->spared[o->n_spared++] =
	    (struct orphan){pid, clock_mono_ms() + SPARE_MS};
	return true;
}

static bool is_known(void *arg, pid_t pid)
{
	const struct look *look = arg;
	const struct children *c = look->children;

	for (unsigned i = 0; i < c->n_slots; i++)
		if (c->child[i].pid == pid)
			return true;
	return pid == look->orphans->heir || is_spared(look->orphans, pid);
}

void orphans_inherit(struct orphans *o, const char *libexec_dir)
{
	struct buf path = {0};

	buf_printf(&path, "%s/co-turn", libexec_dir);
	o->co_turn = buf_steal(&path, &(size_t){0});
	/* Without co-turn no agent runs, and there is nothing to spare. */
	(void)stat(o->co_turn, &o->first);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1); /* cannot fail */
}

void orphans_fini(struct orphans *o)
{
	free(o->co_turn);
	free(o->spared);
	*o = (struct orphans){0};
}

void orphans_expect(struct orphans *o)
{
	o->look_until_ms = clock_mono_ms() + LOOK_MS;
}

void orphans_end(struct orphans *o, struct children *c)
{
	struct look look = {o, c};

	if (clock_mono_ms() < o->look_until_ms)
		(void)pids_kill_strangers(is_known, &look);
	else
		o->n_spared = 0;
}
