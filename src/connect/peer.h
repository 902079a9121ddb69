/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CONNECT_PEER_H
#define CONNECT_PEER_H

/*
 * A WebSocket to a server, without a loop: the protocol is in websocket/, and
 * here are the look-up of the name, the socket, and the time. A proxy of the
 * environment is used (websocket/ws_proxy.h). A silent server is sent a ping
 * every 25 s, and is given up when it stays silent.
 *
 * Life cycle: peer_open(); peer_step() when peer_fd() is readable or the time of
 * peer_due_ms() has come; on_end once; peer_free(). No call waits. Handlers are
 * called from peer_step() only, and may make any call but that and peer_free().
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct peer;
struct url;
struct ws_client_handlers;
struct ws_trust;

/* All of it is copied, except as noted. */
struct peer_setup {
	const struct url *url;
	const struct ws_trust *trust; /* borrowed; for wss:// */
	const char *user_agent;
	int64_t open_timeout_ms; /* until on_open */
	size_t max_message_bytes;
	const struct ws_client_handlers *handlers; /* borrowed */
	void *arg;
};

/* Connect. Never returns NULL; also what fails at once is told by on_end. */
struct peer *peer_open(const struct peer_setup *setup);

/* Send a close if that goes without waiting, free, and null *p. */
void peer_free(struct peer **p);

/* Returns a descriptor that is readable when there is something to do. */
int peer_fd(const struct peer *p);

/* Returns the time (clock_mono_ms()) at which there is something to do. */
int64_t peer_due_ms(const struct peer *p);

/* Do what can be done without waiting. */
void peer_step(struct peer *p);

/* Queue a text message; the caller limits that. Dropped before on_open. */
void peer_send(struct peer *p, const char *text, size_t len);

/* Returns when something came last (clock_mono_ms()). */
int64_t peer_heard_ms(const struct peer *p);

#endif
