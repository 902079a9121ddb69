/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENTSERVER_AS_SOCKET_H
#define AGENTSERVER_AS_SOCKET_H

/* The WebSockets of the agent server (doc/agent-server.txt 3). */
struct door_setup;
struct http;

/* Add the routes. */
void as_socket_mount(struct http *http, const struct door_setup *setup);

/* Close all, since the server restarts; clients come back. */
void as_socket_close_all(void);

#endif
