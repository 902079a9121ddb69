/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENTSERVER_AS_FEED_H
#define AGENTSERVER_AS_FEED_H

/* What a WebSocket is sent. */
struct as_conn;

/* Begin: its conversation is open. */
void as_feed_begin(struct as_conn *c);

/* The wire has room again. */
void as_feed_drain(struct as_conn *c);

/* Stop; the conversation may be released afterwards. */
void as_feed_end(struct as_conn *c);

/*
 * A run ended, or had nothing to do: send the state of the conversation a
 * little later, and once more.
 */
void as_feed_tell_state(struct as_conn *c);

#endif
