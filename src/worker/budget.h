/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WORKER_BUDGET_H
#define WORKER_BUDGET_H

/*
 * How a worker divides its descriptors (ulimit -n). Agents and the store come
 * first: a connection can wait in the backlog, but a turn without a descriptor
 * fails.
 */
#include <stddef.h>

struct conf;
struct inherited;

/*
 * Returns how many connections the worker may have: max_connections, or less if
 * the limit on open files leaves less after what is reserved for agents. The
 * first worker of a generation then logs a warning, unless max_connections has
 * its default and hardly less is left.
 */
size_t budget_connections(struct inherited *in, const struct conf *conf);

#endif
