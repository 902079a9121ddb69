/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENT_SOLO_H
#define AGENT_SOLO_H

/*
 * The channels (agent/channel.h) of an agent whose turns have a process each:
 * the process is started for the turn, or taken from a pool of warm ones, and
 * its whole tree ends with the turn.
 */
#include "agent/channel.h"
#include "runner/runner.h"

#include <stddef.h>
#include <stdint.h>

struct agent_setup;
struct agent_spec;
struct pool;
struct source;

/* Lives in its owner. */
struct solo {
	struct channels base;
	struct runner_place place;
	struct pool *pool; /* NULL: no warm processes */
};

/*
 * Initialise *s, with n_warm processes in its pool. The source must outlive it.
 */
void solo_init(struct solo *s, const struct agent_setup *setup,
    struct source *source, size_t n_warm);

/* Returns how many descriptors the turns of an agent may need. */
int64_t solo_descriptors(const struct agent_spec *spec);

/* Close the pool, and kill and forget all processes. */
void solo_fini(struct solo *s);

#endif
