/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef NET_WIRE_H
#define NET_WIRE_H

/*
 * A wire is a connection to which text messages can be sent: a WebSocket here,
 * a client behind a relay elsewhere. Doors know only wires. Its maker owns it
 * and hands it to a user (wire_take()) before the loop continues; the user must
 * drop its reference in on_gone.
 */
#include <stdbool.h>
#include <stddef.h>

struct buf;
struct wire;
struct wire_handlers;

struct wire_ops {
	void (*send)(struct wire *w, const char *text, size_t len);
	size_t (*pending)(const struct wire *w);
	void (*close)(struct wire *w, int code, const char *reason);
	void (*pause)(struct wire *w);
	/* See wire_pass(); NULL: such a wire is never passed anything. */
	void (*pass)(struct wire *w, const char *head, size_t head_len,
	    struct buf *text, size_t from);
};

/* Close codes for wire_close(): RFC 6455 section 7.4 and its registry. */
enum wire_code {
	WIRE_CLOSE_NORMAL = 1000,
	WIRE_CLOSE_AWAY = 1001,
	WIRE_CLOSE_BAD_TEXT = 1007,
	WIRE_CLOSE_POLICY = 1008,
	WIRE_CLOSE_TOO_BIG = 1009,
	WIRE_CLOSE_RESTART = 1012,
	WIRE_CLOSE_TRY_AGAIN = 1013,
};

/* How a client reached us. */
enum wire_origin {
	WIRE_DIRECT,  /* it connected to this server */
	WIRE_RELAYED, /* through a relay, which many clients share */
};

/* The head of every wire. Its maker fills it in, except for the user's part. */
struct wire {
	const struct wire_ops *ops;
	const struct wire_handlers *handlers; /* of its user, like arg */
	void *arg;
	/*
	 * The client's network address as text, for logs, policy and limits. ""
	 * behind a relay: it is unknown, and the relay's own address would
	 * count all its clients as one; then only the caller's limits apply.
	 */
	const char *peer;
	/*
	 * Where the client is, as text for comparison (http_place()). Clients
	 * with the same place are treated as neighbours, so behind a relay each
	 * wire needs a unique one.
	 */
	const char *place;
	size_t high_water; /* above this, writers wait for on_drain */
	enum wire_origin origin;
	bool peer_is_loopback; /* and no proxy or relay forwarded for it */
	bool is_paused;	       /* its user takes no messages for now */
	bool is_admitted;      /* its user knows the peer, or need not */
	bool is_proven;	       /* the peer has signed something */
};

/* Any peer may send this much of a message. */
#define WIRE_FIRST_BYTES ((size_t)64 * 1024)

/* What a wire reports to its user. Each may make any call on the wire. */
struct wire_handlers {
	/* A complete text message (valid UTF-8), not NUL-terminated. */
	void (*on_text)(void *arg, const char *text, size_t len);
	/*
	 * If not NULL, called instead of on_text; it may take the bytes and
	 * leave *text as {0}.
	 */
	void (*on_message)(void *arg, struct buf *text);
	/*
	 * If not NULL, called with each part of a text message as it comes,
	 * before the message is complete.
	 */
	void (*on_part)(void *arg, const char *part, size_t len);
	/*
	 * A peer that is not admitted has sent the beginning of a message that
	 * will be larger than WIRE_FIRST_BYTES. Returns how large it may
	 * become. NULL: as large as those of other peers.
	 */
	size_t (*may_grow)(void *arg, const char *text, size_t len);
	/* A complete binary message came (its bytes are dropped). */
	void (*on_binary)(void *arg);
	/* pending() fell below half of high_water. */
	void (*on_drain)(void *arg);
	/* The wire is gone and must not be used again; called once, last. */
	void (*on_gone)(void *arg);
};

/* Become the user of this wire. The handlers must outlive it. */
static inline void wire_take(
    struct wire *w, const struct wire_handlers *handlers, void *arg)
{
	w->handlers = handlers;
	w->arg = arg;
}

/*
 * Queue one text message. Never fails immediately: a broken wire calls on_gone
 * later.
 */
static inline void wire_send(struct wire *w, const char *text, size_t len)
{
	w->ops->send(w, text, len);
}

/*
 * The same with a message of two parts: head, which is copied, and text from
 * the byte 'from' on, which is taken and not copied. *text is {0} afterwards.
 */
static inline void wire_pass(struct wire *w, const char *head, size_t head_len,
    struct buf *text, size_t from)
{
	w->ops->pass(w, head, head_len, text, from);
}

/* Returns how many bytes are queued for the peer. */
static inline size_t wire_pending(const struct wire *w)
{
	return w->ops->pending(w);
}

/* Whether a writer should stop until on_drain. */
static inline bool wire_is_full(const struct wire *w)
{
	return w->ops->pending(w) >= w->high_water;
}

/*
 * Stop or resume reading from the peer. A few messages that were already read
 * may still come, unless the maker of the wire says otherwise.
 */
static inline void wire_pause(struct wire *w, bool is_paused)
{
	if (w->is_paused == is_paused)
		return;
	w->is_paused = is_paused;
	w->ops->pause(w);
}

/*
 * Send what is queued, then a close with this RFC 6455 code (section 7.4) and
 * reason (up to 123 bytes), and give up after 5 s. on_gone follows.
 */
static inline void wire_close(struct wire *w, int code, const char *reason)
{
	w->ops->close(w, code, reason);
}

#endif
