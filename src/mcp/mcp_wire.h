/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MCP_MCP_WIRE_H
#define MCP_MCP_WIRE_H

/*
 * A wire carries messages to one MCP server and back: the pipes of a program
 * (mcp/mcp_stdio.h), or requests of HTTP (mcp/mcp_http.h). It knows nothing of
 * what they say. Loop's thread only.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mcp_wire;

/* The maximum size of a message. */
#define MCP_WIRE_MESSAGE_MAX ((size_t)8 << 20)

/* Messages read from a server in a second; a faster one is held back. */
#define MCP_WIRE_MESSAGES_PER_S 5000

/* A message of ours. Borrowed for the call. */
struct mcp_out {
	const char *text;
	size_t len;
	int64_t id; /* of a request; -1: a notification, or an answer */
	/* What HTTP repeats in headers. */
	const char *method;  /* NULL: an answer */
	const char *name;    /* of the tool, or NULL */
	const char *version; /* of the protocol; NULL: not agreed yet */
	bool is_modern;
	const char *headers; /* "Name: value", each with a NUL behind it */
	size_t headers_len;
};

/* Why no answer will come. */
struct mcp_loss {
	int status; /* of HTTP; 0: none came */
	/* The session is not known any more; the request was not taken. */
	bool is_session_gone;
	bool has_other_session; /* another one has begun since */
	bool was_sent;		/* the server may have done what was asked */
	const char *why;
};

/*
 * Callbacks. They may send and forget, but must not close the wire. None comes
 * from inside a call of the wire.
 */
struct mcp_wire_handlers {
	/*
	 * A message came, valid during the call only. stream is the request on
	 * whose stream it came; -1: that is not known.
	 */
	void (*on_message)(
	    void *arg, int64_t stream, const char *text, size_t len);
	/*
	 * A message was too long; text is its beginning.
	 */
	void (*on_oversized)(
	    void *arg, int64_t stream, const char *text, size_t len);
	/* No answer to this request will come. */
	void (*on_lost)(void *arg, int64_t id, const struct mcp_loss *loss);
	/* The server is gone. Nothing follows. */
	void (*on_down)(void *arg, const char *why);
};

struct mcp_wire_ops {
	void (*send)(struct mcp_wire *w, const struct mcp_out *out);
	/*
	 * Nothing more is expected for this request. If it was not answered,
	 * closing its stream tells a server of HTTP that it is cancelled.
	 */
	void (*forget)(struct mcp_wire *w, int64_t id, bool is_answered);
	/*
	 * Listen to what the server says by itself, where that needs a stream
	 * of its own. NULL: it does not.
	 */
	void (*listen)(struct mcp_wire *w, const char *version);
	/* Close it, without a callback, and set *w to NULL. */
	void (*close)(struct mcp_wire **w);
};

/* The first member of each kind of wire. */
struct mcp_wire {
	const struct mcp_wire_ops *ops;
	const struct mcp_wire_handlers *handlers;
	void *arg;
};

/* Counts the messages of a second. {0} is a new one. */
struct mcp_pace {
	int64_t second;
	unsigned n;
};

/* Returns whether one more message may be read in the second of now_ms. */
static inline bool mcp_pace_take(struct mcp_pace *p, int64_t now_ms)
{
	if (p->second != now_ms / 1000)
		*p = (struct mcp_pace){.second = now_ms / 1000};
	return ++p->n <= MCP_WIRE_MESSAGES_PER_S;
}

#endif
