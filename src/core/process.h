/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_PROCESS_H
#define CORE_PROCESS_H

/*
 * What the master has to know of a kind of process; core/processes.tbl has the
 * rows. What such a process does is in worker/, which the master does not see.
 */
#include "core/heritage.h"

struct conf;

#define PROCESS_LISTENS 1u /* it gets the listener */
#define PROCESS_DRAINS 2u  /* it has turns, which it may end when it leaves */

/* The last stage; the first is 1. */
#define PROCESS_STAGES 2

struct process {
	const char *name;
	unsigned flags;
	unsigned stage;
	/* How many there are with these settings. */
	unsigned (*count)(const struct conf *c);
};

/* The row of a kind, KIND_NONE included. */
const struct process *process_of(enum heritage_kind kind);

#endif
