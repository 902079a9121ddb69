/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

/*
 * The worker process, which puts loop, HTTP server, store, sessions, agent and
 * doors together and runs them until it is told to leave. It is the only place
 * that knows all of them.
 */

/*
 * Run a worker in process slot 'slot' with what a child inherits
 * (core/heritage.h). Returns the exit status.
 */
int worker_main(unsigned slot, unsigned generation);

#endif
