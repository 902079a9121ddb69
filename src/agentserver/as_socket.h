/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENTSERVER_AS_SOCKET_H
#define AGENTSERVER_AS_SOCKET_H

/* The WebSockets of the agent server (doc/agent-server.txt 3). */
#include <stdint.h>

struct door_setup;
struct http;

/* Add the routes. */
void as_socket_mount(struct http *http, const struct door_setup *setup);

/* A run had nothing to do: tell the state to those that wait for its end. */
void as_socket_tell(uint64_t salt);

/* Close all, since the server restarts; clients come back. */
void as_socket_close_all(void);

#endif
