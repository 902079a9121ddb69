/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef API_API_INPUT_H
#define API_API_INPUT_H

/*
 * POST /input: a prompt in, and when its turn has ended the result; or, where
 * the client accepts text/event-stream, the turn's events as they come. A
 * client that leaves does not stop its turn.
 */
struct http_req;

/* The handler; arg is a door_setup. */
void api_input_post(struct http_req *req, void *arg);

#endif
