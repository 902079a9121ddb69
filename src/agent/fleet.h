/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENT_FLEET_H
#define AGENT_FLEET_H

/*
 * A fleet is the long-lived processes of one agent in one worker. Each runs
 * many turns (agent/mux.h); a turn goes to the one with the fewest.
 *
 * While no process has loaded the agent, turns wait. If it cannot be loaded,
 * they are refused, and loading is retried with exponential backoff. A process
 * that is killed while it loads says nothing about the agent: another one loads
 * at once, and only if that is killed as well, the agent cannot be loaded. A
 * process that dies is replaced at once, and so is one with a turn that does not
 * stop. One that asks to be replaced serves until its successor has loaded the
 * agent, and, if that fails, longer; only one is replaced at a time. Each of
 * these events is a line in the log.
 */
#include "agent/channel.h"
#include "core/agent.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fleet;
struct source;

/* The maximum number of turns that wait for a process. */
#define FLEET_WAITING_MAX 4096

/*
 * The maximum number of processes that get no further turn and have not ended
 * yet. Above it, no process is replaced that can go on.
 */
#define FLEET_LEAVING_MAX 16

/* The first and the longest delay before a start is repeated. */
#define FLEET_PAUSE_MS 100
#define FLEET_PAUSE_MAX_MS 30000

/* What a fleet needs. The source must outlive it. */
struct fleet_setup {
	const struct agent_setup *agent; /* for the call */
	struct source *source;		 /* starts the processes */
	/* What a turn may add to those that a process may have itself. */
	size_t turn_processes;
	/*
	 * A process has loaded the agent; json is its frame READY, valid only
	 * inside the call. May be NULL.
	 */
	void (*on_ready)(void *arg, const char *json, size_t len);
	void *arg;
};

/* Returns how many descriptors the fleet of an agent may need. */
int64_t fleet_descriptors(const struct agent_spec *spec);

/* Start the processes: agent_pool of them, and at least one. */
struct fleet *fleet_open(const struct fleet_setup *setup);

/* Returns the channels of its turns; they live as long as the fleet. */
struct channels *fleet_channels(struct fleet *f);

/*
 * Returns whether a process has loaded the agent. While one that had is being
 * replaced, turns wait for a short time only, and the agent counts as loaded.
 */
enum agent_load fleet_load(const struct fleet *f);

/*
 * The worker takes no further inputs: let each process exit when its turns have
 * ended. Turns that begin nevertheless get a new one.
 */
void fleet_drain(struct fleet *f);

/* Kill all processes, free, and null *f. */
void fleet_close(struct fleet **f);

#endif
