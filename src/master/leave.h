/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MASTER_LEAVE_H
#define MASTER_LEAVE_H

/* How a master stops, with all its processes. */
#include <stdbool.h>

struct master;

/* Accept nothing more, let turns finish for drain_timeout, then exit. */
void leave_gracefully(struct master *m);

/* End all processes now. */
void leave_at_once(struct master *m);

/*
 * Shut the listener down, so that no client connects and waits in vain: neither
 * in our backlog nor in that of a worker that does not respond.
 */
void leave_deaf(struct master *m);

/* Continue leaving; call it often. Returns whether the master may exit. */
bool leave_further(struct master *m);

#endif
