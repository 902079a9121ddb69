/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MCP_MCP_TOOLS_H
#define MCP_MCP_TOOLS_H

/*
 * The tools of an MCP server, as the agent loop sees them (core/tool.h). A list
 * is filled in from the pages of "tools/list". It lives in its owner: {.server,
 * .is_trusted, .has_headers}, mcp_tools_read() for each page, mcp_tools_fini().
 *
 * The name of a tool is SERVER_TOOL: characters that providers refuse become
 * "_", a name that is too long ends with a hash of it, and one that is there
 * already with a number. What is beyond the limits is left out and counted.
 */
#include "core/tool.h"
#include "mcp/mcp_header.h"

#include <stdbool.h>
#include <stddef.h>

struct json;

/* The limits of one server. */
#define MCP_TOOLS_MAX 128
#define MCP_TOOLS_BYTES ((size_t)1 << 20) /* of all together */
#define MCP_TOOLS_SCHEMA_BYTES ((size_t)64 << 10)
#define MCP_TOOLS_DESCRIPTION_BYTES ((size_t)8 << 10) /* longer ones are cut */

struct mcp_tool {
	struct tool tool; /* all its texts are owned */
	char *remote;	  /* its name at the server */
	struct mcp_headers headers;
};

struct mcp_tools {
	const char *server; /* its name; borrowed */
	bool is_trusted;    /* what it says of its tools counts as flags */
	bool has_headers;   /* it is asked by HTTP */
	struct mcp_tool *all;
	size_t n;
	size_t n_left_out;
	char why[160]; /* the last one was left out; "" if none was */
	size_t n_bytes;
};

/*
 * Add a page. *cursor is of the next one, or NULL: this was the last. Returns
 * false if the result is not a list of tools.
 */
bool mcp_tools_read(
    struct mcp_tools *t, const struct json *result, const struct json **cursor);

/* Free the tools; the list is then empty. */
void mcp_tools_fini(struct mcp_tools *t);

#endif
