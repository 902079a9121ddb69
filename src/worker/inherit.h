/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WORKER_INHERIT_H
#define WORKER_INHERIT_H

/* What worker and keeper do alike at their start: take up what they inherit. */
#include "core/conf.h"
#include "core/heritage.h"
#include "core/msg.h"
#include "net/loop.h"

#include <stdbool.h>

enum leaving {
	LEAVE_AT_ONCE,	 /* by TERM, or because the master is dead */
	LEAVE_TO_OTHERS, /* another generation has taken over */
	LEAVE_WITH_ALL,	 /* the server ends */
};

struct inherited {
	struct conf conf;
	struct heritage *heritage;
	unsigned slot;
	unsigned generation;
	struct loop *loop; /* it and what it watches live to the end */
	struct loop_watch *mailbox;
	struct loop_watch *lifeline;
	struct loop_timer beat;
	void (*on_msg)(const struct msg *m, void *arg);
	void (*on_leave)(enum leaving how, void *arg);
	void *arg;
};

/*
 * Load settings, map the segment, name the log, count into our slot's counters,
 * make the loop, watch mailbox, lifeline and TERM. The caller has set on_msg,
 * on_leave and arg; fatal() when something is missing. MSG_DRAIN becomes
 * on_leave, and is passed to on_msg too.
 */
void inherit_all(struct inherited *in, enum heritage_kind kind, unsigned slot,
    unsigned generation);

/* Tell the master that we serve, and have a pulse from now on. */
void inherit_ready(struct inherited *in);

/* Run the loop until it is stopped; what follows has no pulse. */
void inherit_run(struct inherited *in);

#endif
