/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef NET_WS_DIAL_H
#define NET_WS_DIAL_H

/*
 * The client side of WebSocket on our loop: the protocol is in websocket/, and
 * here are its socket and its time. A connection through a proxy, if the
 * environment names one (websocket/ws_proxy.h). Pings are answered; a silent
 * server is sent a ping every 25 s, and is given up when it stays silent.
 *
 * Life cycle: ws_dial_open(), on_open, messages, on_end, ws_dial_free(). Loop's
 * thread only.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct crew;
struct loop;
struct url;
struct ws_dial;
struct ws_trust;

/* What a connection reports. Each may make any call on it, ws_dial_free() too.
 */
struct ws_dial_handlers {
	/* Messages may be sent. */
	void (*on_open)(void *arg);
	/* A complete text message (valid UTF-8), not NUL-terminated. */
	void (*on_text)(void *arg, const char *text, size_t len);
	/* See websocket/ws_client.h, for both. May be NULL. */
	size_t (*may_grow)(void *arg, const char *text, size_t len);
	void (*on_refused)(void *arg, const char *text, size_t len);
	/* ws_dial_waiting() fell to 0; may be NULL. */
	void (*on_drain)(void *arg);
	/*
	 * The end, called once, last: code and why are those of
	 * websocket/ws_client.h.
	 */
	void (*on_end)(void *arg, int code, const char *why);
};

/* All of it is copied, except as noted. */
struct ws_dial_setup {
	struct loop *loop;
	struct crew *crew; /* borrowed; finds and connects */
	const struct url *url;
	const struct ws_trust *trust; /* borrowed; for wss:// */
	const char *user_agent;
	const char *fields;	  /* see ws_hello_ask(); may be NULL */
	int64_t open_timeout_ms;  /* until on_open; 0: no limit */
	int64_t stall_timeout_ms; /* until some waiting output is taken */
	size_t max_message_bytes;
	size_t first_bytes;			 /* see may_grow */
	const struct ws_dial_handlers *handlers; /* borrowed */
	void *arg;
};

/*
 * Connect. Never returns NULL, and calls no handler before it returns: also what
 * fails at once is reported by on_end.
 */
struct ws_dial *ws_dial_open(const struct ws_dial_setup *setup);

/* Cut the connection if there still is one, free, and null *d. */
void ws_dial_free(struct ws_dial **d);

/*
 * Queue a text message; the caller limits what waits. Dropped before on_open and
 * after ws_dial_close().
 */
void ws_dial_send(struct ws_dial *d, const char *text, size_t len);

/* Returns how many bytes the kernel has yet to take. */
size_t ws_dial_waiting(const struct ws_dial *d);

/* Stop or resume reading. */
void ws_dial_pause(struct ws_dial *d, bool is_paused);

/*
 * Send what is queued, then a close with this code and reason, and give up after
 * 5 s. on_end follows, also before on_open.
 */
void ws_dial_close(struct ws_dial *d, int code, const char *reason);

#endif
