/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OPENHANDS_OH_EVENT_H
#define OPENHANDS_OH_EVENT_H

/*
 * Events of OpenHands, made from events of a journal: each view of such an event
 * (core/views.h) is one of them, and its number is the id. Id 0 is that the
 * conversation began.
 *
 * Some views say only how the agent is now (agent_state_changed); in a replay
 * the newest of these is sent, and last, so they are made in two steps.
 *
 * Pure functions; t/golden/openhands has the bytes.
 */
#include "core/event.h"
#include "core/views.h"

#include <stdbool.h>
#include <stdint.h>

/* Returns the id of a view. */
static inline int64_t oh_event_id(const struct event *ev, unsigned view)
{
	return (int64_t)views_number(ev, view);
}

/* How a client wants its events. */
enum oh_dialect {
	OH_DOC, /* ids are texts; an observation repeats its action */
	OH_UI,	/* ids are numbers */
};

/* What the events before this one tell about it. */
struct oh_context {
	enum oh_dialect dialect;
	int64_t cause; /* of an observation: the id of its action; -1: none */
};

/* How the agent is. */
enum oh_agent {
	OH_AGENT_RUNNING,
	OH_AGENT_AWAITING_INPUT,
	OH_AGENT_AWAITING_CONFIRMATION,
	OH_AGENT_STOPPED,
	OH_AGENT_PAUSED,
	OH_AGENT_ERROR,
};

/* Room for the reason of OH_AGENT_ERROR, with its NUL. */
#define OH_REASON_BYTES 64

/* A view that says how the agent is. */
struct oh_change {
	int64_t id; /* -1: none */
	int64_t time_us;
	enum oh_agent agent;
	char reason[OH_REASON_BYTES];
};

/*
 * Whether the event has a view that says how the agent is; if so, *change is
 * filled in.
 */
bool oh_event_change(
    struct oh_change *change, const struct event *ev, unsigned view);

/* Append that view as the JSON of an event. */
void oh_event_put_change(
    struct buf *out, const struct oh_change *change, enum oh_dialect dialect);

/*
 * Append another view as the JSON of an event. Returns false, with nothing
 * appended, if the event has no such view.
 */
bool oh_event_put(struct buf *out, const struct event *ev, unsigned view,
    const struct oh_context *context);

/*
 * Append the name that a tool call and its result share. Returns false, with
 * nothing appended, for other events.
 */
bool oh_event_tool(struct buf *out, const struct event *ev);

/* Append the JSON that says that the conversation is over; it has no id. */
void oh_event_put_over(struct buf *out);

/* Append a time, in microseconds since 1970, as JSON. */
void oh_event_put_time(struct buf *out, int64_t us);

/*
 * Append the JSON of what is worth telling of an event that is not shown, for
 * the clients that are there; it has no id. Returns false, with nothing
 * appended, if there is nothing to tell.
 */
bool oh_event_put_status(struct buf *out, const struct event *ev);

/* Append the JSON of an error for one client; it has no id. */
void oh_event_put_error(struct buf *out, const char *text);

#endif
