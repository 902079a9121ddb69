/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WORKER_BUDGET_H
#define WORKER_BUDGET_H

/*
 * How a worker shares its descriptors (ulimit -n). Agents and the store come
 * first: a connection that waits in the kernel is taken later, a turn that finds
 * no descriptor fails.
 */
#include <stddef.h>

struct conf;

/*
 * How many connections the worker may have: max_connections, or less if the
 * limit on open files leaves less beside what is kept for turns. Warns then.
 */
size_t budget_connections(const struct conf *conf);

#endif
