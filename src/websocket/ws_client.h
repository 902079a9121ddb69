/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WEBSOCKET_WS_CLIENT_H
#define WEBSOCKET_WS_CLIENT_H

/*
 * A WebSocket client (RFC 6455) without a socket: bytes in, bytes out. It asks
 * a proxy for a tunnel, encrypts, makes the opening handshake, and then speaks
 * frames by wslay. Its caller connects a socket to ws_client_host() and
 * ws_client_port(), moves bytes, and keeps the time: there are no timeouts here.
 *
 * Life cycle: ws_client_new(), then ws_client_feed() with what comes, while what
 * ws_client_output() has is written; on_end comes once; when the output is
 * written as well, close the socket and call ws_client_free(). Clients share
 * nothing, and each may be used from one thread at a time.
 */
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct url;
struct ws_client;
struct ws_trust;

/* So much of a large message comes before its size is asked for. */
#define WS_CLIENT_BEGINNING ((size_t)64 * 1024)

/*
 * For owners, who keep the time: a server that was silent for this long is sent
 * a ping, and after this long is gone. Proxies in between may swallow pings, but
 * what an owner itself sends in that time is answered.
 */
#define WS_CLIENT_PING_AFTER_MS 25000
#define WS_CLIENT_SILENT_MS 90000

/* A good max_fragments: a message of 256 MiB in pieces of 4 KiB fits. */
#define WS_CLIENT_MAX_FRAGMENTS 65536

/* Close codes that this file makes itself: RFC 6455 section 7.4. */
#define WS_CLIENT_NO_CODE 1005 /* the peer's close had no code */
#define WS_CLIENT_LOST 1006    /* the connection ended without a close */

/*
 * What a client reports, inside ws_client_feed() and ws_client_eof(). Each may
 * make any call but those two and ws_client_free().
 */
struct ws_client_handlers {
	/* The handshake succeeded: messages may be sent. */
	void (*on_open)(void *arg);
	/* A complete text message (valid UTF-8), not NUL-terminated. */
	void (*on_text)(void *arg, const char *text, size_t len);
	/*
	 * A text message will have more than first_bytes; here is its beginning,
	 * at least WS_CLIENT_BEGINNING. Returns how large it may become. NULL:
	 * as large as any. May not end the client.
	 */
	size_t (*may_grow)(void *arg, const char *text, size_t len);
	/*
	 * A message became larger than may_grow allowed: its rest is dropped as
	 * it comes, and the next one is received. Needed with may_grow.
	 */
	void (*on_refused)(void *arg, const char *text, size_t len);
	/*
	 * The end; nothing more is received or sent but what output there is.
	 * code is the peer's close code or one of those above; why says what
	 * happened, as the end of a sentence about the server ("answered 404
	 * Not Found").
	 */
	void (*on_end)(void *arg, int code, const char *why);
};

/* What to connect to and how; all of it is copied, except as noted. */
struct ws_client_setup {
	const struct url *url;
	const struct url *proxy;      /* NULL: connect directly */
	const struct ws_trust *trust; /* borrowed; may be NULL for ws:// */
	const char *user_agent;	      /* may be NULL */
	const char *fields;	      /* see ws_hello_ask(); may be NULL */
	/* A larger message ends the connection with 1009. */
	size_t max_message_bytes;
	size_t first_bytes;			   /* see may_grow */
	size_t max_fragments;			   /* in one message */
	const struct ws_client_handlers *handlers; /* borrowed */
	void *arg;
};

/* Create a client. Its first output is ready. Never returns NULL. */
struct ws_client *ws_client_new(const struct ws_client_setup *setup);

/* Free and null *c. No handler is called. */
void ws_client_free(struct ws_client **c);

/* Where to connect: the proxy, or else the server. */
const char *ws_client_host(const struct ws_client *c);
uint16_t ws_client_port(const struct ws_client *c);

/* n bytes came from the socket. */
void ws_client_feed(struct ws_client *c, const void *bytes, size_t n);

/* The peer has closed the socket, or it broke: why, as on_end says it. */
void ws_client_eof(struct ws_client *c, const char *why);

/*
 * Returns what is to be written to the socket: the caller removes what it wrote
 * by buf_consume().
 */
struct buf *ws_client_output(struct ws_client *c);

/* Whether messages may be sent. */
bool ws_client_is_open(const struct ws_client *c);

/* Whether on_end has been called. */
bool ws_client_is_over(const struct ws_client *c);

/*
 * Add a text message to the output; the caller limits that. Dropped unless the
 * client is open.
 */
void ws_client_send(struct ws_client *c, const char *text, size_t len);

/* Add a ping; its pong is not reported, but is input like any other. */
void ws_client_ping(struct ws_client *c);

/*
 * Add a close with this code and a reason of up to 123 bytes. The peer's answer
 * ends the client; there may be messages before it.
 */
void ws_client_close(struct ws_client *c, int code, const char *reason);

#endif
