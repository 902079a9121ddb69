/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef RELAY_RELAY_AGENTS_H
#define RELAY_RELAY_AGENTS_H

/*
 * The sockets of agents. A new one has to announce itself; its signature is
 * verified on a thread. From then on it is in the roster, so that clients of
 * any worker find it, and every other frame of it goes through the tunnel. It
 * is there for as long as anything comes from it, be it a pong.
 *
 * Several sockets may announce one address. All stay; new clients get the one
 * that came last. Loop's thread only.
 */
struct http_req;
struct relay;

/* Set up, once in a process; r is borrowed for good. */
void relay_agents_init(struct relay *r);

/* Serve a request for /ws/announce. Ends the request. */
void relay_agents_accept(struct http_req *req);

/* Disconnect all agents (1012). */
void relay_agents_close_all(void);

#endif
