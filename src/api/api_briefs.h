/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef API_API_BRIEFS_H
#define API_API_BRIEFS_H

/*
 * GET /sessions with a parameter: a page of the list of sessions, for people
 * (doc/oip.txt 12).
 */
#include <stdbool.h>

struct caller;
struct door_setup;
struct http_req;

/* Whether the request asks for such a page. */
bool api_briefs_are_asked(struct http_req *req);

/* Answer the request of a caller. This ends the request, now or later. */
void api_briefs_list(struct http_req *req, const struct door_setup *setup,
    const struct caller *who);

#endif
