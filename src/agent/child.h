/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENT_CHILD_H
#define AGENT_CHILD_H

/*
 * The common part of all subprocess agents: a turn that speaks co-agent(7) over
 * a channel of any kind. A kind has a struct agent (alone, or as the first
 * member of a larger struct), calls child_init() on it, and puts the functions
 * below into its struct agent_kind.
 */
#include "core/agent.h"

#include <stddef.h>
#include <stdint.h>

struct channels;

/* An opened subprocess agent. */
struct agent {
	struct agent_about about; /* the kind owns its text */
	struct loop *loop;
	struct channels *channels;
	size_t line_bytes;
	int64_t lines_per_window;
	int64_t run_timeout_ms;
	int64_t interrupt_grace_ms;
};

/* Initialise *a, which must be {0}; the channels must outlive it. */
void child_init(struct agent *a, const struct agent_setup *setup,
    struct channels *channels);

/*
 * Functions for struct agent_kind. There is no recall, since it is unknown what
 * a process did before its owner died.
 */
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
