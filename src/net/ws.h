/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef NET_WS_H
#define NET_WS_H

/*
 * The server side of WebSocket (RFC 6455): a wire made from an HTTP request.
 * wslay parses frames without its buffering; a message is reassembled into one
 * buffer with limits on bytes and fragments; output is coalesced into few
 * writes; reading stops while too much output waits (back-pressure). Pings are
 * answered; a silent peer is sent a ping every 25 s so that proxies keep the
 * connection open. Loop's thread only.
 */
#include "base/buf.h"
#include "net/wire.h"

#include <stddef.h>
#include <stdint.h>

struct http;
struct http_req;

struct ws_limits {
	size_t max_message_bytes; /* close 1009 above this */
	size_t max_fragments;	  /* in one message; close 1009 above this */
	/*
	 * Slow readers are cut: when more than this waits and something is
	 * sent, or when nothing of what waits is taken for this long.
	 */
	size_t max_output_bytes;
	int64_t stall_timeout_ms;
	int64_t message_timeout_ms; /* cut if a message stays incomplete */
	/*
	 * wire_pause() holds from the end of the current frame on: what was
	 * already read is kept for later, at the cost of some speed.
	 */
	bool is_exact;
	/* Read on while output waits: others need what this peer says. */
	bool reads_always;
	/* A binary message that is valid UTF-8 is taken as text. */
	bool takes_binary;
	/* Cut a peer of which nothing came for this long, not even a pong. */
	int64_t silence_timeout_ms; /* 0: never */
	uint64_t *silent_total;	    /* counts them; may be NULL */
	/* Counts the slow readers that were cut; may be NULL. */
	uint64_t *slow_readers_total;
	uint64_t
	    *oversized_total; /* counts those closed by 1009; may be NULL */
};

/* Whether the request asks for a WebSocket in a form we accept (version 13). */
int ws_is_handshake(const struct http_req *req);

/*
 * Reply to a request for which ws_is_handshake() is false: 426 with the version
 * if it asks for another version, else 400. Ends the request.
 */
void ws_refuse(struct http_req *req);

/*
 * Accept the handshake. Ends the request: req must not be used again. The wire
 * is usable at once (sends wait for the 101); the caller must wire_take() it
 * before it returns to the loop. limits is copied.
 */
struct wire *ws_accept(struct http_req *req, const struct ws_limits *limits);

/* Returns how many bytes wait for all WebSockets of this process together. */
size_t ws_total_pending(void);

/*
 * Break a connection at once, with all output that waits. on_gone follows, at
 * the end of the tick.
 */
void ws_cut(struct wire *wire);

/* An open WebSocket between two processes. */
struct ws_parcel {
	int fd;
	struct buf input;  /* came, and was not parsed */
	struct buf output; /* queued, and not written */
	char *peer;	   /* as in struct wire */
	char *place;
	bool peer_is_loopback;
};

/*
 * Take a WebSocket with limits.is_exact out of this process: between two
 * messages, while it is paused, and never from one of its handlers. On success
 * the wire is gone, without on_gone, and the caller owns the parcel. Returns
 * false, with nothing changed, if it cannot be moved now.
 */
bool ws_detach(struct wire *wire, struct ws_parcel *out);

/*
 * Continue a WebSocket that another process has detached, as a connection of
 * this server. Takes the descriptor and the bytes, and leaves *p as {.fd = -1}.
 * The caller must wire_take() it before it returns to the loop.
 */
struct wire *ws_attach(
    struct http *h, struct ws_parcel *p, const struct ws_limits *limits);

/* Free what a parcel holds, and close its descriptor. */
void ws_parcel_fini(struct ws_parcel *p);

/*
 * Call fn for every open WebSocket of this process (used to close them when
 * draining).
 */
void ws_each(void (*fn)(struct wire *w, void *arg), void *arg);

#endif
