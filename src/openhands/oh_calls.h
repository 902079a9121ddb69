/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OPENHANDS_OH_CALLS_H
#define OPENHANDS_OH_CALLS_H

/*
 * Calls of tools whose results have not come: an observation names the id of its
 * action, and only the call before it in the journal has that. No pointers: part
 * of a client's state, which may be in shared memory. All zero: none.
 */
#include <stdint.h>

struct event;

/* How many calls are remembered until their results come. */
#define OH_CALLS 8

/* Look back so many positions for the calls of the first results. */
#define OH_CALLS_BACK 200

/* A call of a tool, of which the result has not come. */
struct oh_call {
	uint32_t digest; /* of its id */
	int64_t id;	 /* of its action; 0: none */
};

struct oh_calls {
	struct oh_call calls[OH_CALLS];
	uint8_t next;
};

/*
 * Take the next event of a journal into account. Returns the id of the action
 * whose result it is; -1: it is no result, or that of an unknown call.
 */
int64_t oh_calls_cause(struct oh_calls *calls, const struct event *ev);

#endif
