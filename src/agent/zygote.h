/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENT_ZYGOTE_H
#define AGENT_ZYGOTE_H

/*
 * A zygote is a fork server: a process that has loaded all that an agent needs,
 * and forks the processes of turns. It is a source (runner/source.h), and runs
 * under co-turn like any process of an agent.
 *
 * Its standard input is a packet socket. For each turn it receives one packet
 * with the four descriptors of the turn, and acknowledges it with a "+" line on
 * its standard output before it begins the turn. A line "READY JSON" says that
 * it has loaded the agent, for the first time or again.
 *
 * A zygote that dies is restarted with exponential backoff, and at once if it is
 * killed while it loads, unless that happens again. The turns that it
 * has acknowledged end with it; the others go to the next one. While the agent
 * cannot be loaded, turns are refused; while it is being loaded, they wait.
 */
#include "core/agent.h"

#include <stdbool.h>
#include <stddef.h>

struct crew;
struct loop;
struct source;
struct zygote;

/* The first and the longest delay before a restart. */
#define ZYGOTE_PAUSE_MS 100
#define ZYGOTE_PAUSE_MAX_MS 30000

/* What a zygote needs. All of it must outlive it. */
struct zygote_setup {
	struct loop *loop;
	struct crew *crew;     /* for work that may block */
	struct source *source; /* of the zygote itself, which it must outlive */
	/* Receives the JSON of READY, valid only inside the call. */
	void (*on_ready)(void *arg, const char *json, size_t len);
	void *arg;
};

/* Start a zygote. */
struct zygote *zygote_open(const struct zygote_setup *setup);

/* Returns the source of its turns; it lives as long as the zygote. */
struct source *zygote_source(struct zygote *z);

/* Returns whether it has loaded the agent. */
enum agent_load zygote_load(const struct zygote *z);

/* End it with all its turns, free, and null *z. */
void zygote_close(struct zygote **z);

#endif
