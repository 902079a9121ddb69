/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MASTER_UPGRADE_H
#define MASTER_UPGRADE_H

/*
 * An upgrade seen by the master that runs (handover.h). It starts the program
 * that is on disk now. If that serves, our processes drain, and we exit when
 * they are gone. If it ends before, nothing has changed; if it ends while we
 * still drain, we serve again.
 */
#include <stdbool.h>
#include <sys/types.h>

struct master;

/* Start the program on disk, or log why that is refused. */
void upgrade_begin(struct master *m);

/* Read what the new master says; call it when m->bridge is readable. */
void upgrade_hear(struct master *m);

/* A process was reaped. Returns whether it was the new master. */
bool upgrade_reap(struct master *m, pid_t pid, int status);

/*
 * We stop: an upgrade that has not come to an end stops as well, by the signal
 * that stops us.
 */
void upgrade_cancel(struct master *m, int signo);

/* Kill a new master that does not serve in time. Call it often. */
void upgrade_look(struct master *m);

#endif
