/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef API_API_CHANGE_H
#define API_API_CHANGE_H

/*
 * PATCH /sessions/{id} gives a session a title, DELETE /sessions/{id} deletes
 * it (doc/oip.txt 12). A signature counts once, and for one session only.
 */

struct http_req;

/* Answer either. arg is the struct door_setup. */
void api_change(struct http_req *req, void *arg);

#endif
