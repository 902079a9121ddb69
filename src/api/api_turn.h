/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef API_API_TURN_H
#define API_API_TURN_H

/*
 * An HTTP request that waits for a turn: its prompt is submitted, and the reply
 * is the end of the turn or, if the client accepts text/event-stream, its
 * events as they happen. A client that disconnects does not stop its turn.
 */
#include <stdbool.h>

struct caller;
struct door_setup;
struct http_req;
struct session;
struct session_input;

/*
 * The turn for which a request waits. input and caller are borrowed for the
 * duration of the call.
 */
struct api_turn {
	struct session *session; /* ownership passes to the call */
	const struct session_input *input;
	const struct caller *caller;
	bool is_server_newer; /* included in the reply */
};

/* Submit the prompt. This ends the request, later. */
void api_turn_begin(struct http_req *req, const struct door_setup *setup,
    const struct api_turn *turn);

/* Refuse the waiting requests of blocked callers. */
void api_turn_end_blocked(void);

/*
 * Answer all waiting requests of this process: their turns will end without
 * them.
 */
void api_turn_close_all(void);

#endif
