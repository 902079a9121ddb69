/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef API_API_TURN_H
#define API_API_TURN_H

/*
 * An HTTP request that waits for a turn: its prompt is handed over, and the
 * reply is the turn's end; or, where the client accepts text/event-stream, its
 * events as they come. A client that leaves does not stop its turn.
 */
#include <stdbool.h>

struct caller;
struct door_setup;
struct http_req;
struct session;
struct session_input;

struct api_turn {
	struct session *session; /* taken over */
	const struct session_input *input;
	const struct caller *caller;
	bool is_server_newer; /* told in the reply */
};

/* Hand the prompt over. Ends the request, later. */
void api_turn_begin(struct http_req *req, const struct door_setup *setup,
    const struct api_turn *turn);

/* Refuse those who wait and are blocked. */
void api_turn_end_blocked(void);

/* Answer all who wait in this process that their turns will end without them. */
void api_turn_close_all(void);

#endif
