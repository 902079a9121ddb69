/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef API_API_EVENTS_H
#define API_API_EVENTS_H

/*
 * A session's journal as server-sent events (WHATWG HTML 9.2). Each event is
 *
 *	id: <epoch>-<seq>
 *	event: <its name in the journal>
 *	data: <for stream and terminal events the ConnectOnion frame>
 *
 * A hole is never silent: the event "reset" {"recovered":false} is sent in its
 * place. A comment is sent every 15 s. The output that waits for a slow reader
 * is bounded; a client that reads nothing for slow_reader_timeout is
 * disconnected.
 */
#include <stdbool.h>
#include <stdint.h>

struct door_setup;
struct http_req;
struct session;

/* What a stream shows, and when it ends. */
struct api_events_plan {
	uint64_t after;	     /* start after this position */
	uint32_t until_turn; /* only this turn; 0: end when no turn runs */
	bool is_following;   /* stay open when turns end */
	bool is_reset; /* begin with "reset": what the client had is lost */
	const char *caller;  /* the watching caller; NULL: anonymous */
	bool is_holder;	     /* holds the session (session_is_held()) */
	bool may_start_late; /* ignore holes before the oldest kept event */
};

/* Turn the request into a stream of this session, and take over its handle. */
void api_events_stream(struct http_req *req, const struct door_setup *setup,
    struct session *session, const struct api_events_plan *plan);

/* GET /sessions/{id}/events; arg is a door_setup. */
void api_events_get(struct http_req *req, void *arg);

/* End the streams of blocked callers, with an event that says why. */
void api_events_end_blocked(void);

/* End all streams of this process. */
void api_events_close_all(void);

#endif
