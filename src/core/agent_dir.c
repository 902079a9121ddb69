/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "core/agent_dir.h"

#include "base/list.h"
#include "base/mem.h"
#include "core/agent.h"

#include <stdlib.h>
#include <string.h>

#define NAME_BYTES                   \
	"abcdefghijklmnopqrstuvwxyz" \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"0123456789._-"

struct entry {
	struct list link;
	struct named_agent agent;
	char name[AGENT_NAME_MAX + 1];
	size_t prefix; /* its length, if the name is one; 0: it is not */
};

/* There are only a handful of agents, so a list is searched fast enough. */
struct agent_dir {
	struct named_agent usual;
	struct list named;
};

struct agent_dir *agent_dir_new(
    const struct agent_kind *kind, struct agent *agent)
{
	struct agent_dir *d = mem_zero(sizeof *d);
	d->usual = (struct named_agent){"", kind, agent};
	list_init(&d->named);
	return d;
}

void agent_dir_free(struct agent_dir **dp)
{
	struct agent_dir *d = *dp;
	*dp = NULL;
	if (!d)
		return;
	list_each_safe(it, &d->named) free(list_entry(it, struct entry, link));
	free(d);
}

int agent_dir_add(struct agent_dir *d, const char *name,
    const struct agent_kind *kind, struct agent *agent, struct err *err)
{
	size_t len = strlen(name);
	if (!len || len > AGENT_NAME_MAX || strspn(name, NAME_BYTES) != len)
		return err_set(err, ERR_CONFIG,
		    "'%.80s' is no name of an agent: allowed are 1 to %d "
		    "letters, digits, '.', '_' and '-'",
		    name, AGENT_NAME_MAX);
	if (agent_dir_find(d, name, len))
		return err_set(
		    err, ERR_CONFIG, "there is an agent '%s' already", name);
	struct entry *e = mem_zero(sizeof *e);
	memcpy(e->name, name, len);
	e->agent = (struct named_agent){e->name, kind, agent};
	list_append(&d->named, &e->link);
	return 0;
}

void agent_dir_add_family(struct agent_dir *d, const char *prefix,
    const struct agent_kind *kind, struct agent *agent)
{
	struct entry *e = mem_zero(sizeof *e);
	e->agent = (struct named_agent){prefix, kind, agent};
	e->prefix = strlen(prefix);
	list_append(&d->named, &e->link);
}

static bool is_called(const struct entry *e, const char *name, size_t len)
{
	if (e->prefix)
		return len > e->prefix &&
		       memcmp(e->agent.name, name, e->prefix) == 0;
	return strlen(e->name) == len && memcmp(e->name, name, len) == 0;
}

const struct named_agent *agent_dir_find(
    const struct agent_dir *d, const char *name, size_t len)
{
	if (!len)
		return &d->usual;
	list_each(it, &d->named)
	{
		const struct entry *e = list_entry(it, struct entry, link);
		if (is_called(e, name, len))
			return &e->agent;
	}
	return NULL;
}

static enum agent_place place_of(const struct named_agent *a, uint64_t home,
    unsigned *slot, int64_t *patience_ms)
{
	*patience_ms = a->kind->patience_ms(a->agent);
	return a->kind->place(a->agent, home, slot);
}

/*
 * All agents with a home are of one kind today, so the first one can tell of
 * each.
 */
enum agent_place agent_dir_place(const struct agent_dir *d, uint64_t home,
    unsigned *slot, int64_t *patience_ms)
{
	if (d->usual.kind->home)
		return place_of(&d->usual, home, slot, patience_ms);
	list_each(it, &d->named)
	{
		const struct entry *e = list_entry(it, struct entry, link);
		if (e->agent.kind->home)
			return place_of(&e->agent, home, slot, patience_ms);
	}
	*patience_ms = 0;
	return AGENT_AWAY;
}

const struct agent_about *agent_dir_about(const struct named_agent *a)
{
	return a->kind->about(a->agent);
}
