/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef RELAY_RELAY_CLIENTS_H
#define RELAY_RELAY_CLIENTS_H

/*
 * The sockets of clients. The first frame of one names an agent. If that is at
 * another worker, the socket is handed over (relay/dock.h); if it was here a
 * moment ago, the frame is held until it returns or hold_timeout is over.
 * Everything after that goes through the tunnel. Loop's thread only.
 */
#include <stddef.h>

struct http_req;
struct msg;
struct relay;

/* Set up, once in a process; r is borrowed for good. */
void relay_clients_init(struct relay *r);

/* Serve a request for /ws/input. Ends the request. */
void relay_clients_accept(struct http_req *req);

/* A client comes from another worker. Takes the descriptors. */
void relay_clients_arrive(const struct msg *m, const int *fds, size_t n_fds);

/* Disconnect all clients (1012). */
void relay_clients_close_all(void);

#endif
