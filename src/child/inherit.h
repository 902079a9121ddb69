/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CHILD_INHERIT_H
#define CHILD_INHERIT_H

/*
 * What all children of the master do at startup: take over what they inherit
 * (core/heritage.h). Order of calls: inherit_begin(), then the program reads
 * its settings from HERITAGE_FD_CONF, inherit_all(), inherit_ready(),
 * inherit_run().
 */
#include "core/heritage.h"
#include "core/msg.h"
#include "net/loop.h"

#include <stdbool.h>
#include <stddef.h>

enum leaving {
	LEAVE_AT_ONCE,	 /* because of TERM, or the master is dead */
	LEAVE_TO_OTHERS, /* another generation takes over */
	LEAVE_WITH_ALL,	 /* the whole server stops */
};

struct inherited {
	const char *name; /* of the kind of process */
	struct heritage *heritage;
	unsigned slot;
	unsigned generation;
	struct loop *loop; /* lives until exit, with all it watches */
	struct loop_watch *mailbox;
	struct loop_watch *lifeline;
	struct loop_timer beat;
	void (*on_msg)(const struct msg *m, void *arg);
	void (*on_leave)(enum leaving how, void *arg);
	/*
	 * MSG_MEET: fd is one end of a stream to another process, owned by the
	 * callee from now on. NULL: there is no such message for this kind.
	 */
	void (*on_meet)(int fd, void *arg);
	/* MSG_MOVED: the descriptors are the callee's. The same. */
	void (*on_fds)(
	    const struct msg *m, const int *fds, size_t n_fds, void *arg);
	void *arg;
};

/*
 * Note who we are, and name the log after it: a process of the kind 'name'
 * (static) in a slot. The caller has set on_msg, on_leave and arg.
 */
void inherit_begin(
    struct inherited *in, const char *name, unsigned slot, unsigned generation);

/*
 * Open the log and the test clock (each a path, or ""), map the segment, count
 * in our slot's counters, create the loop, and watch mailbox, lifeline and
 * TERM. Calls fatal() if something is missing. MSG_DRAIN calls on_leave, and is
 * passed to on_msg too.
 */
void inherit_all(
    struct inherited *in, const char *log_file, const char *test_clock);

/* Tell the master that we serve; from now on the loop has a pulse. */
void inherit_ready(struct inherited *in);

/* Run the loop until it is stopped; afterwards there is no pulse. */
void inherit_run(struct inherited *in);

#endif
