/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENTSERVER_AS_REST_H
#define AGENTSERVER_AS_REST_H

/* The routes of /api/conversations (doc/agent-server.txt 2). */
struct door_setup;
struct http;

/* Add the routes. */
void as_rest_mount(struct http *http, const struct door_setup *setup);

#endif
