/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENT_CHILD_H
#define AGENT_CHILD_H

/*
 * What all subprocess agents share: a turn is one process, of whatever source,
 * that speaks co-agent(7) on its standard input and output. A kind has a struct
 * agent (alone, or as the first member of more), calls child_init() and
 * child_fini() on it, and puts the functions below into its struct agent_kind.
 */
#include "agent/runner.h"
#include "core/agent.h"

#include <stddef.h>
#include <stdint.h>

struct pool;
struct source;

/* How long an interrupted process may take to end its turn itself. */
#define CHILD_INTERRUPT_MS 5000

struct agent {
	struct agent_about about; /* its text is the kind's */
	struct runner_place place;
	struct pool
	    *pool; /* set after child_init(); NULL: none are kept warm */
	size_t line_bytes;
	int64_t lines_per_window;
	int64_t run_timeout_ms;
};

/* Prepare *a, which is {0}; the source must outlive it. */
void child_init(
    struct agent *a, const struct agent_setup *setup, struct source *source);

/* Close the pool, kill and forget all processes. */
void child_fini(struct agent *a);

/* The functions of struct agent_kind; there is no recall, since what a process
 * did before its owner died cannot be known. */
const struct agent_about *child_about(const struct agent *a);
struct agent_turn *child_start(
    struct agent *a, const struct agent_input *input, struct agent_sink *sink);
struct agent_turn *child_exec(
    struct agent *a, const struct agent_exec *x, struct agent_sink *sink);
void child_run(struct agent_turn *t);
void child_deliver(struct agent_turn *t, const struct event *ev);
void child_on_room(struct agent_turn *t);
void child_free(struct agent_turn **t);

#endif
