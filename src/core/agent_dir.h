/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_AGENT_DIR_H
#define CORE_AGENT_DIR_H

/*
 * The agents that this worker has open, by name. One is the default and has no
 * name: it is the agent of each session that names none, so that a server with
 * one agent stores and looks up nothing. The directory does not open and close
 * agents; it is filled at the start and read afterwards.
 */
#include "core/err.h"

#include <stddef.h>

struct agent;
struct agent_about;
struct agent_dir;
struct agent_kind;

/* Longest name of an agent, in bytes. */
#define AGENT_NAME_MAX 64

struct named_agent {
	const char *name; /* "" of the default */
	const struct agent_kind *kind;
	struct agent *agent;
};

/* A directory with its default. Never NULL. */
struct agent_dir *agent_dir_new(
    const struct agent_kind *kind, struct agent *agent);

/* Free it, without closing the agents, and null *d. */
void agent_dir_free(struct agent_dir **d);

/*
 * Add an agent. Its name is copied: 1 to AGENT_NAME_MAX letters, digits, dots,
 * underscores and hyphens. Returns 0, or -1 with ERR_CONFIG when the name is
 * not one, or taken.
 */
int agent_dir_add(struct agent_dir *d, const char *name,
    const struct agent_kind *kind, struct agent *agent, struct err *err);

/*
 * The agent of this name, the default for len 0, or NULL. It lives as long as
 * the directory, and does not move.
 */
const struct named_agent *agent_dir_find(
    const struct agent_dir *d, const char *name, size_t len);

/* What the agent says of itself; it lives as long as the agent. */
const struct agent_about *agent_dir_about(const struct named_agent *a);

#endif
