/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

/*
 * The worker process: the only place that knows everybody. It puts loop, HTTP
 * server, store, sessions, agent and doors together and runs them until it is
 * told to leave.
 */

/*
 * Run a worker in process slot 'slot' with what heritage.h says a child
 * inherits. Returns the exit status.
 */
int worker_main(unsigned slot, unsigned generation);

#endif
