/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MCP_MCP_CONN_H
#define MCP_MCP_CONN_H

/*
 * The connection of a worker to one MCP server: what generation the server is
 * of, its tools, and the requests that are in progress. It is made at once, to
 * know the tools, and again after a failure, with backoff. A program that was
 * not needed for a while is ended, and started by the next request; its tools
 * stay known meanwhile. Loop's thread only.
 */
#include "base/list.h"
#include "base/span.h"
#include "core/tool.h"
#include "mcp/mcp_message.h"
#include "mcp/mcp_tools.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct agent_spec;
struct buf;
struct crew;
struct fetch;
struct loop;
struct mcp_conn;
struct mcp_server;

/* The maximum number of requests to one server, of one worker. */
#define MCP_CONN_REQUESTS 256

/* Borrowed; everything outlives the connection. */
struct mcp_conn_setup {
	struct loop *loop;
	struct fetch *fetch;
	struct crew *crew;
	const struct agent_spec *spec; /* for the processes of programs */
	const struct mcp_server *server;
	int64_t probe_ms; /* for an answer to server/discover, programs only */
	int64_t connect_ms; /* until the tools are known */
	int64_t idle_ms;    /* after which a program is ended */
	int64_t retry_ms;   /* the first delay after a failure */
};

/* Callbacks of a request. They may withdraw it and ask others. */
struct mcp_request_ops {
	/* Append the request. */
	void (*write)(void *arg, struct buf *out, enum mcp_era era, int64_t id);
	/* Append headers, each with a NUL behind it; only for HTTP. */
	void (*write_headers)(void *arg, struct buf *out);
	/* The result or error. The request is over. */
	void (*on_answer)(void *arg, const struct mcp_message *m);
	/* There will be no answer; why is for the model. It is over. */
	void (*on_failed)(void *arg, const char *why);
	/* It goes on; text is for people. */
	void (*on_progress)(void *arg, const char *text, size_t len);
	/*
	 * The server asks the user; the answer goes to mcp_conn_reply(). id is
	 * exact JSON, borrowed like params.
	 */
	void (*on_asked)(void *arg, struct span id, const struct json *params);
};

/* A request; lives in its owner, which fills in the first three members. */
struct mcp_request {
	const struct mcp_request_ops *ops;
	void *arg;
	const char *name; /* of the tool */
	/* Private. */
	struct list link;
	int64_t id; /* -1: not sent yet */
	bool was_repeated;
};

/* Open it. Never returns NULL. */
struct mcp_conn *mcp_conn_open(const struct mcp_conn_setup *setup);

/* Close it; all requests are withdrawn before. Sets *c to NULL. */
void mcp_conn_close(struct mcp_conn **c);

/* Returns the state, as a toolbox has it. */
enum toolbox_load mcp_conn_load(const struct mcp_conn *c);

/* Returns the tools that are known; valid until the loop's next round. */
const struct mcp_tools *mcp_conn_tools(const struct mcp_conn *c);

/* Returns the name of the server. */
const char *mcp_conn_name(const struct mcp_conn *c);

/*
 * Ask, as soon as the connection is there. Returns NULL, or why that is not
 * possible now: too many requests are in progress, or the server failed a moment
 * ago. No callback comes from inside.
 */
const char *mcp_conn_ask(struct mcp_conn *c, struct mcp_request *r);

/* Give up a request that is not over, and tell the server. */
void mcp_conn_withdraw(struct mcp_conn *c, struct mcp_request *r);

/* Answer a question of the server with a result. */
void mcp_conn_reply(struct mcp_conn *c, struct span id, const char *result);

#endif
