/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef API_API_INPUT_H
#define API_API_INPUT_H

/*
 * POST /input: accepts a prompt, and answers with the result when its turn has
 * ended; or, if the client accepts text/event-stream, with the turn's events as
 * they happen. A client that disconnects does not stop its turn.
 */
struct http_req;

/* The handler; arg is a door_setup. */
void api_input_post(struct http_req *req, void *arg);

#endif
