/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef JOURNAL_BELL_H
#define JOURNAL_BELL_H

/*
 * A bell is the notification of other processes that a journal has grown: of
 * those whose clients listen to the session, and of the owner of its turn if it
 * must look for stimuli. Delivery is best effort: a lost notification costs
 * latency, never data.
 */
#include "core/msg.h"
#include "journal/journal.h"

/* A notification and its addressees. */
struct bell {
	struct msg msg;
	uint64_t ears[2]; /* a bit per slot */
};

/*
 * Make the notification for a written commit, addressed to the present
 * listeners.
 */
struct bell bell_make(const struct journal_setup *s, const struct commit *c);

/* Send it. May be called from any thread. */
void bell_ring(const struct bell *b);

#endif
