/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_AGENT_DIR_H
#define CORE_AGENT_DIR_H

/*
 * A directory of the agents that this worker has open, by name. One is the
 * default and has no name: it serves each session that names none, so that a
 * server with one agent stores and looks up nothing. The directory does not
 * open or close agents; it is filled at startup and only read afterwards.
 */
#include "core/agent.h"
#include "core/err.h"

#include <stddef.h>
#include <stdint.h>

struct agent;
struct agent_about;
struct agent_dir;
struct agent_kind;

/* The maximum length of an agent's name in bytes. */
#define AGENT_NAME_MAX 64

struct named_agent {
	const char *name; /* "" for the default */
	const struct agent_kind *kind;
	struct agent *agent;
};

/* Create a directory with its default agent. Never returns NULL. */
struct agent_dir *agent_dir_new(
    const struct agent_kind *kind, struct agent *agent);

/*
 * Add a family: all names that begin with this prefix ("onsembl:") are of this
 * agent, which learns the rest from its inputs. The prefix is borrowed.
 */
void agent_dir_add_family(struct agent_dir *d, const char *prefix,
    const struct agent_kind *kind, struct agent *agent);

/* Free the directory, without closing the agents, and set *d to NULL. */
void agent_dir_free(struct agent_dir **d);

/*
 * Add an agent. Its name is copied: 1 to AGENT_NAME_MAX letters, digits, dots,
 * underscores and hyphens. Returns 0, or -1 with ERR_CONFIG if the name is
 * invalid or taken.
 */
int agent_dir_add(struct agent_dir *d, const char *name,
    const struct agent_kind *kind, struct agent *agent, struct err *err);

/*
 * Returns the agent of this name, the default for len 0, or NULL. The result
 * lives as long as the directory and does not move.
 */
const struct named_agent *agent_dir_find(
    const struct agent_dir *d, const char *name, size_t len);

/*
 * Returns where the agent with this number is (core/agent.h, home()), and its
 * slot for AGENT_ELSEWHERE; *patience_ms is how long turns wait for it. An
 * agent that no kind knows is AGENT_AWAY, without patience.
 */
enum agent_place agent_dir_place(const struct agent_dir *d, uint64_t home,
    unsigned *slot, int64_t *patience_ms);

/* Returns the agent's description, which lives as long as the agent. */
const struct agent_about *agent_dir_about(const struct named_agent *a);

#endif
