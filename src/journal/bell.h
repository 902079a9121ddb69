/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef JOURNAL_BELL_H
#define JOURNAL_BELL_H

/*
 * A bell tells other processes that a journal has grown: those whose clients
 * listen to the session, and the owner of its turn if it is to look for stimuli.
 * It is best effort: a lost one costs latency, never data.
 */
#include "core/msg.h"
#include "journal/journal.h"

struct bell {
	struct msg msg;
	uint64_t ears[2]; /* a bit for each slot */
};

/* The bell for a commit that was written, by who listens now. */
struct bell bell_make(const struct journal_setup *s, const struct commit *c);

/* Send it; from any thread. */
void bell_ring(const struct bell *b);

#endif
