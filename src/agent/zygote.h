/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENT_ZYGOTE_H
#define AGENT_ZYGOTE_H

/*
 * A zygote is a process that has loaded all that an agent needs, and makes the
 * processes of turns out of itself: a source (agent/source.h). It runs under
 * co-turn as any process of an agent does.
 *
 * Its standard input is a packet socket. For each turn it gets one packet with
 * the four descriptors of the turn, and before it begins with it, it says "+"
 * in a line on its standard output. A line "READY JSON" says that it has loaded the agent, for
 * the first time or anew.
 *
 * One that dies is started again after a pause that doubles while they keep
 * dying; what its turns were is up to them. While the agent cannot be loaded,
 * turns are refused; else they wait.
 */
#include "core/agent.h"

#include <stdbool.h>
#include <stddef.h>

struct crew;
struct loop;
struct source;
struct zygote;

/* First and longest pause before it is started again. */
#define ZYGOTE_PAUSE_MS 100
#define ZYGOTE_PAUSE_MAX_MS 60000

struct zygote_setup {
	struct loop *loop;
	struct crew *crew;     /* does what may block */
	struct source *source; /* of the zygote itself; it must outlive it */
	/* What READY said; json is gone after the call. */
	void (*on_ready)(void *arg, const char *json, size_t len);
	void *arg;
};

/* Start a zygote. */
struct zygote *zygote_open(const struct zygote_setup *setup);

/* The source of its turns; it lives as long as the zygote. */
struct source *zygote_source(struct zygote *z);

/* Whether it has loaded the agent. */
enum agent_load zygote_load(const struct zygote *z);

/* End it with all its turns, null *z. */
void zygote_close(struct zygote **z);

#endif
