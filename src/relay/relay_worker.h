/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef RELAY_RELAY_WORKER_H
#define RELAY_RELAY_WORKER_H

/*
 * The worker process of co-relayd, which is the only kind it has: it accepts
 * agents and clients, forwards frames between them, and answers questions.
 */
#include "core/process.h"

#include <stdint.h>

struct heritage;
struct relay_conf;

/* The kinds of processes of co-relayd: none, and workers. */
#define RELAY_WORKER 1
#define RELAY_KINDS 2
extern const struct process relay_kinds[RELAY_KINDS];

/* Returns the size of the shared memory with these settings. */
uint64_t relay_worker_bytes(const struct relay_conf *conf);

/*
 * Run a worker in process slot 'slot' with what a child inherits
 * (core/heritage.h). Returns the exit status.
 */
int relay_worker_main(unsigned slot, unsigned generation);

#endif
