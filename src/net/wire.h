/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef NET_WIRE_H
#define NET_WIRE_H

/*
 * A wire is something text messages can be sent to: a WebSocket here, a client
 * behind a relay elsewhere. Doors know wires only. Whoever made the wire owns
 * it, and hands it to a user (wire_take()) before the loop goes on; the user
 * lets go of it when told that it is gone.
 */
#include <stdbool.h>
#include <stddef.h>

struct wire;
struct wire_handlers;

struct wire_ops {
	void (*send)(struct wire *w, const char *text, size_t len);
	size_t (*pending)(const struct wire *w);
	void (*close)(struct wire *w, int code, const char *reason);
	void (*pause)(struct wire *w);
};

/* How a client reached us. */
enum wire_origin {
	WIRE_DIRECT,  /* it connected to this server */
	WIRE_RELAYED, /* through a relay, which many clients share */
};

/* The head of every wire. Whoever makes one fills it in but for its user's. */
struct wire {
	const struct wire_ops *ops;
	const struct wire_handlers *handlers; /* of its user, with arg */
	void *arg;
	/*
	 * The client's network address as text, for logs, policy and limits.
	 * Behind a relay "": it is not known, and the relay's own would count
	 * all its clients as one; then only the caller has limits.
	 */
	const char *peer;
	/*
	 * Where the client is, as a text to compare (http_place()). Clients with
	 * the same place are taken for neighbours, so behind a relay each wire
	 * needs one that no other has.
	 */
	const char *place;
	size_t high_water; /* with more bytes, writers wait for on_drain */
	enum wire_origin origin;
	bool peer_is_loopback; /* and no proxy or relay spoke for it */
	bool is_paused;	       /* its user takes no messages now */
	bool is_admitted;      /* its user knows who the peer is, or need not */
	bool is_proven;	       /* the peer has signed something */
};

/* So much of a message is taken from anybody. */
#define WIRE_FIRST_BYTES ((size_t)64 * 1024)

/* What a wire tells its user. Each may call anything on the wire. */
struct wire_handlers {
	/* One whole text message (UTF-8, checked), not NUL-terminated. */
	void (*on_text)(void *arg, const char *text, size_t len);
	/*
	 * The beginning of a message that is not whole and will be larger than
	 * WIRE_FIRST_BYTES came from a peer that is not admitted: how large may it
	 * be? NULL: as large as those of others.
	 */
	size_t (*may_grow)(void *arg, const char *text, size_t len);
	/* One whole binary message came (its bytes are dropped). */
	void (*on_binary)(void *arg);
	/* pending() fell to less than half of high_water. */
	void (*on_drain)(void *arg);
	/* The wire is gone and must not be used again; called once, last. */
	void (*on_gone)(void *arg);
};

/* Use this wire: what it tells goes to these handlers, which must outlive it. */
static inline void wire_take(
    struct wire *w, const struct wire_handlers *handlers, void *arg)
{
	w->handlers = handlers;
	w->arg = arg;
}

/*
 * Queue one text message. Never fails at
 * once: a broken wire says on_gone later.
 */
static inline void wire_send(struct wire *w, const char *text, size_t len)
{
	w->ops->send(w, text, len);
}

/* Whether a writer should stop until on_drain. */
static inline bool wire_is_full(const struct wire *w)
{
	return w->ops->pending(w) >= w->high_water;
}

/*
 * Stop or go on reading from the peer. A few messages that were read already
 * may still come.
 */
static inline void wire_pause(struct wire *w, bool is_paused)
{
	if (w->is_paused == is_paused)
		return;
	w->is_paused = is_paused;
	w->ops->pause(w);
}

/*
 * Send what is queued, then a close with this RFC 6455 code (7.4) and reason
 * (up to 123 bytes), and give up after 5 s. on_gone follows.
 */
static inline void wire_close(struct wire *w, int code, const char *reason)
{
	w->ops->close(w, code, reason);
}

#endif
