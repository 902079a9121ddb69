/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef RELAY_RELAY_LOOKUPS_H
#define RELAY_RELAY_LOOKUPS_H

/*
 * Questions about agents: over HTTP by address, and over the look-up socket,
 * which also searches. The directory is read on threads, and the roster adds who
 * is there now. Loop's thread only.
 */
struct http_req;
struct path;
struct relay;

/* Set up, once in a process; r is borrowed for good. */
void relay_lookups_init(struct relay *r);

/* Answer GET for what a path asks about an agent. Ends the request. */
void relay_lookups_get(struct http_req *req, const struct path *path);

/* Serve a request for /ws/lookup. Ends the request. */
void relay_lookups_accept(struct http_req *req);

/* Disconnect all look-up sockets. */
void relay_lookups_close_all(void);

#endif
