/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENT_POOL_H
#define AGENT_POOL_H

/*
 * A pool keeps processes of a subprocess agent warm: they are started before
 * anybody asks, and wait for their first line. A used one is replaced at once;
 * one that dies is replaced after a pause that doubles while they keep dying.
 */
#include "agent/runner.h"

#include <stddef.h>

struct pool;

/* First and longest pause before a dead process is replaced. */
#define POOL_PAUSE_MS 1000
#define POOL_PAUSE_MAX_MS 60000

/* A pool of size processes (0: none), which it starts from now on. */
struct pool *pool_open(struct runner_place *place, size_t size);

/* Take a warm runner, to be claimed; NULL when none is ready. */
struct runner *pool_take(struct pool *p);

/* Close it, kill what waits in it, null *p. */
void pool_close(struct pool **p);

#endif
