/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENTSERVER_AS_EVENT_H
#define AGENTSERVER_AS_EVENT_H

/*
 * Events for clients of the agent server, made from events of a journal. Each
 * event of the journal is exactly one of theirs: the event at position seq has
 * the number seq - 1, so numbers begin with 0 and have no gaps. What has no
 * form of its own is a ConversationStateUpdateEvent with the key
 * AS_EVENT_OTHER, since clients refuse kinds that they do not know. Tools are
 * those of an MCP server for them: these forms need no module of the tool.
 *
 * Pure functions; t/golden/agentserver has the bytes.
 */
#include "base/enc.h"
#include "core/event.h"

#include <stdbool.h>
#include <stdint.h>

#define AS_EVENT_OTHER "co_event"

/* How many positions before the first event to show are worth reading. */
#define AS_EVENT_LOOK_BACK 200

/* How many calls of tools are remembered until their results come. */
#define AS_EVENT_CALLS 8

/* What earlier events tell about later ones. */
struct as_trail {
	uint64_t salt; /* of their ids (as_id.h) */
	struct {
		uint32_t digest; /* of the id of a call; 0: none */
		uint64_t seq;
	} calls[AS_EVENT_CALLS];
	unsigned next_call;
	bool is_stopping;  /* the user has interrupted the turn */
	uint64_t approval; /* position of the latest approval_needed; 0: none */
	char tool[64];	   /* its tool, cut */
};

/* Take note of an event that is not shown. */
void as_event_pass(struct as_trail *trail, const struct event *ev);

/* Append an event as JSON, and take note of it. */
void as_event_put(
    struct buf *out, struct as_trail *trail, const struct event *ev);

/*
 * Append an event that is in no journal: a change of the state of the
 * conversation. value is JSON.
 */
void as_event_put_state(struct buf *out, int64_t time_us, const char *key,
    const char *value, size_t len);

/* Append an event that tells a client of its mistake. */
void as_event_put_error(
    struct buf *out, int64_t time_us, const char *code, const char *detail);

/* Append a time as a JSON string, in UTC and without a zone. */
void as_event_put_time(struct buf *out, int64_t us);

/*
 * Read a time in that form, or cut after the seconds; a zone "Z" or "+00:00"
 * may follow. Returns false if it is none.
 */
bool as_event_read_time(int64_t *us, const char *text, size_t len);

#endif
