/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MCP_MCP_MESSAGE_H
#define MCP_MCP_MESSAGE_H

/*
 * The messages of the Model Context Protocol, in its two generations:
 * "initialize" opens a connection (2024-11-05 to 2025-11-25), or each request
 * says by itself which version it speaks (2026-07-28). No I/O. Messages are
 * JSON-RPC 2.0 without a newline.
 */
#include "base/json.h"
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/* The version that needs no "initialize", and the last one that does. */
#define MCP_VERSION_MODERN "2026-07-28"
#define MCP_VERSION_LEGACY "2025-11-25"

enum mcp_era {
	MCP_LEGACY,
	MCP_MODERN,
};

/* ---- what a server says ---- */

enum mcp_kind {
	MCP_INVALID, /* not a message of JSON-RPC */
	MCP_RESULT,
	MCP_ERROR,
	MCP_REQUEST,
	MCP_NOTIFICATION,
};

/* A message; points into the document it was read from. */
struct mcp_message {
	enum mcp_kind kind;
	/*
	 * Of a result or an error: the number of our request, also if it came
	 * back as a text; -1: none of ours.
	 */
	int64_t id;
	struct span id_text;	   /* exact JSON; absent: there is none */
	const struct json *method; /* of a request or notification */
	const struct json *params;
	const struct json *body; /* the result, or the error object */
};

/* Read a message. Whatever it is, *m is filled in. */
void mcp_message_read(struct mcp_message *m, const struct json *message);

/* Returns the code of an error; 0 if it has none. */
int64_t mcp_message_code(const struct mcp_message *m);

/*
 * Append what an error says, for people and models: its message, its data if
 * they are short, and its code.
 */
void mcp_message_put_error(struct buf *out, const struct mcp_message *m);

/* Errors that only a server of the modern generation gives. */
#define MCP_CODE_VERSION (-32022)
bool mcp_message_is_modern_error(const struct mcp_message *m);

/* What a server is, from its answer to "initialize" or "server/discover". */
struct mcp_about {
	enum mcp_era era;
	char version[16]; /* of the protocol, as agreed */
	bool has_tools;
	bool tells_changes; /* of its list of tools */
};

/*
 * Read the result of "server/discover", or an error that names the versions
 * that the server supports. Returns whether it speaks the modern generation's
 * version that we speak.
 */
bool mcp_message_read_discover(
    struct mcp_about *about, const struct mcp_message *m);

/*
 * Read the result of "initialize". Returns whether we speak its version; if
 * not, about->version is what the server said, cut.
 */
bool mcp_message_read_initialize(
    struct mcp_about *about, const struct mcp_message *m);

/* ---- what we say ---- */

/* Append a request. */
void mcp_message_put_discover(struct buf *out, int64_t id);
void mcp_message_put_initialize(struct buf *out, int64_t id);
void mcp_message_put_ping(struct buf *out, int64_t id);

/* Ask to be told when the tools change; only in the modern generation. */
void mcp_message_put_listen(struct buf *out, int64_t id);

/* Ask for a page of tools; cursor is of the last one, NULL: the first page. */
void mcp_message_put_list(
    struct buf *out, enum mcp_era era, int64_t id, const struct json *cursor);

/* A call of a tool. */
struct mcp_message_call {
	const char *name;
	const char *args; /* a JSON object */
	size_t args_len;
	const char *responses; /* of a call that goes on: JSON; NULL: none */
	const char *state;     /* likewise, exact JSON; NULL: none */
};
void mcp_message_put_call(struct buf *out, enum mcp_era era, int64_t id,
    const struct mcp_message_call *call);

/* Append a notification. */
void mcp_message_put_initialized(struct buf *out);
void mcp_message_put_cancelled(struct buf *out, int64_t id, const char *reason);

/* Append the answer to a request of the server; id is exact JSON. */
void mcp_message_put_result(struct buf *out, struct span id, const char *json);
void mcp_message_put_refusal(struct buf *out, struct span id);

#endif
