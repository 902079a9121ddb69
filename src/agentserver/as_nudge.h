/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENTSERVER_AS_NUDGE_H
#define AGENTSERVER_AS_NUDGE_H

/*
 * A run that had nothing to do leaves no event, but its client waits for the
 * state that follows a run, at a WebSocket that another worker may have. So the
 * worker that answers the run tells all of them, by a message with the salt of
 * the conversation (as_id.h).
 */
#include <stdint.h>

struct heritage;

/* Tell all workers, this one among them. Best effort. */
void as_nudge(const struct heritage *h, uint64_t salt);

#endif
