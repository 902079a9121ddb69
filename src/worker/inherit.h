/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WORKER_INHERIT_H
#define WORKER_INHERIT_H

/*
 * What all children of the master do at startup: take over what they inherit
 * (core/heritage.h). Order of calls: inherit_all(), inherit_ready(),
 * inherit_run().
 */
#include "core/conf.h"
#include "core/heritage.h"
#include "core/msg.h"
#include "net/loop.h"

#include <stdbool.h>

enum leaving {
	LEAVE_AT_ONCE,	 /* because of TERM, or the master is dead */
	LEAVE_TO_OTHERS, /* another generation takes over */
	LEAVE_WITH_ALL,	 /* the whole server stops */
};

struct inherited {
	struct conf conf;
	struct heritage *heritage;
	unsigned slot;
	unsigned generation;
	struct loop *loop; /* lives until exit, with all it watches */
	struct loop_watch *mailbox;
	struct loop_watch *lifeline;
	struct loop_timer beat;
	void (*on_msg)(const struct msg *m, void *arg);
	void (*on_leave)(enum leaving how, void *arg);
	void *arg;
};

/*
 * Load the settings, map the segment, name the log, count in our slot's
 * counters, create the loop, and watch mailbox, lifeline and TERM. The caller
 * has set on_msg, on_leave and arg. Calls fatal() if something is missing.
 * MSG_DRAIN calls on_leave, and is passed to on_msg too.
 */
void inherit_all(struct inherited *in, enum heritage_kind kind, unsigned slot,
    unsigned generation);

/* Tell the master that we serve; from now on the loop has a pulse. */
void inherit_ready(struct inherited *in);

/* Run the loop until it is stopped; afterwards there is no pulse. */
void inherit_run(struct inherited *in);

#endif
