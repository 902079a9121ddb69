/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WORKER_KEEPER_H
#define WORKER_KEEPER_H

/*
 * The keeper process does the jobs that only one process may do: it opens and
 * repairs the store before any worker accepts, registers turns that a dead
 * server left, and deletes what has expired. It has no clients.
 */

/* Run the keeper in process slot 'slot'. Returns the exit status. */
int keeper_main(unsigned slot, unsigned generation);

#endif
