/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_PROCESS_H
#define CORE_PROCESS_H

/*
 * What the master knows about a kind of process; core/processes.tbl has the
 * rows. What such a process does is in worker/, which the master does not see.
 */
#include "core/heritage.h"

struct conf;

#define PROCESS_LISTENS 1u /* it gets the listener */
#define PROCESS_DRAINS 2u  /* it may finish its turns first */

/* The last stage; the first is 1. */
#define PROCESS_STAGES 2

struct process {
	const char *name;
	unsigned flags;
	unsigned stage;
	/* Returns how many there are with these settings. */
	unsigned (*count)(const struct conf *c);
};

/* Returns the row of a kind, including KIND_NONE. */
const struct process *process_of(enum heritage_kind kind);

#endif
