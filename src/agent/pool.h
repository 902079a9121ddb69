/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENT_POOL_H
#define AGENT_POOL_H

/*
 * A pool keeps processes of a subprocess agent warm: they are started in
 * advance and wait for their first line. A process that is taken is replaced at
 * once; one that dies is replaced with exponential backoff.
 */
#include "runner/runner.h"

#include <stddef.h>

struct pool;

/* The first and the longest delay before a dead process is replaced. */
#define POOL_PAUSE_MS 1000
#define POOL_PAUSE_MAX_MS 60000

/* Create a pool of size processes (0: none) and begin to start them. */
struct pool *pool_open(struct runner_place *place, size_t size);

/* Take a warm runner, which the caller must claim. NULL if none is ready. */
struct runner *pool_take(struct pool *p);

/* Kill the waiting processes, free, and null *p. */
void pool_close(struct pool **p);

#endif
