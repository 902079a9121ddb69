/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DOOR_CONVERSATIONS_H
#define DOOR_CONVERSATIONS_H

/*
 * The routes at /api/conversations, where two interfaces meet: that of the web
 * page of OpenHands, and that of its agent server. If only one of the two has a
 * handler for a route, it gets all requests. Otherwise the request decides
 * (doc/openhands.txt 6):
 *
 *   POST with "agent" or "workspace", or with "role" or "content": agent
 *   server; others with an id in the form of a UUID with dashes, or "ids" in
 *   their query: agent server; all the rest: web page
 */
#include "net/http.h"

enum conversations_api { CONVERSATIONS_PAGE, CONVERSATIONS_SERVER };

/* As http_route(), for one of the two. path must be static. */
void conversations_route(struct http *http, enum conversations_api api,
    const char *method, const char *path, http_handler *fn, void *arg);

/* Which of the two a request is meant for. */
enum conversations_api conversations_api_of(const struct http_req *req);

#endif
