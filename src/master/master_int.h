/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MASTER_MASTER_INT_H
#define MASTER_MASTER_INT_H

/* What the files of the master share. Used only in master/. */
#include "core/heritage.h"
#include "master/children.h"
#include "master/handover.h"
#include "master/master.h"
#include "master/orphans.h"
#include "master/watch.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Workers get drain_timeout to leave; they are killed this much later. */
#define MASTER_KILL_AFTER_MS 5000

/* How long children get to leave in a fast stop. */
#define MASTER_FAST_MS 1000

enum phase {
	PHASE_STARTING, /* stage by stage */
	PHASE_SERVING,
	PHASE_LEAVING, /* stage by stage, the last one first */
	PHASE_HANDED,  /* all drain; another master serves */
	PHASE_ENDING,  /* all at once */
};

struct master {
	const struct master_setup *setup;
	struct master_plan plan; /* of the newest generation */
	struct master_plan serving_plan;
	struct children children;
	struct orphans orphans;
	struct heritage *heritage;
	struct watch watch;
	enum phase phase;
	unsigned stage; /* of core/processes.tbl: the current one */
	int signal_fd;
	int lifeline_write;
	int64_t deaf_at_ms; /* when to shut down the listener; 0: not set */
	bool is_unwell;	    /* no watchdog notification is sent */
	bool owns_listener; /* we are to shut it down */
	/* An upgrade; handover.h. */
	int bridge;		       /* to the other master; -1: none */
	bool must_sweep;	       /* it has died */
	pid_t heir;		       /* the new master; 0: none */
	int64_t heir_by_ms;	       /* killed at that time; 0: it may stay */
	char heir_words[HANDOVER_MAX]; /* why it cannot serve */
	int exit_status;
};

/* Returns the number of the newest generation. */
static inline uint32_t master_epoch(const struct master *m)
{
	return m->children.newest.epoch;
}

/* Returns the number of the generation that serves; 0: none does yet. */
static inline uint32_t master_serving(const struct master *m)
{
	return m->children.serving.epoch;
}

/* Returns how long a process that drains gets to leave. */
static inline int64_t master_drain_ms(const struct master *m)
{
	return m->plan.drain_ms + MASTER_KILL_AFTER_MS;
}

#endif
