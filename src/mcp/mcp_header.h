/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MCP_MCP_HEADER_H
#define MCP_MCP_HEADER_H

/*
 * What an MCP request repeats in headers of HTTP: the name of the tool, and
 * arguments that the schema of the tool marks with "x-mcp-header". No I/O.
 */
#include <stdbool.h>
#include <stddef.h>

struct buf;
struct json;

/* An argument with a header of its own. */
struct mcp_header {
	char *name;  /* "Region": the header is Mcp-Param-Region */
	char **path; /* keys from the arguments on, NULL at the end */
};

/* Those of a tool; lives in its owner, {0} is none. */
struct mcp_headers {
	struct mcp_header *all;
	size_t n;
};

/* The maximum number for one tool. */
#define MCP_HEADERS_MAX 16

/*
 * Find the marks in a schema. Returns NULL, or why a tool with this schema must
 * not be used: a mark is in a wrong place, or its name or type is wrong.
 */
const char *mcp_headers_read(struct mcp_headers *h, const struct json *schema);

/* Free the contents; *h is then {0} again. */
void mcp_headers_fini(struct mcp_headers *h);

/*
 * Append a header, "Mcp-Param-NAME: VALUE" and a NUL, for each marked argument
 * that is there. Returns their number.
 */
size_t mcp_headers_put(
    struct buf *out, const struct mcp_headers *h, const struct json *args);

/* Append a text as the value of a header, in base64 if it must be. */
void mcp_header_put_value(struct buf *out, const char *text, size_t len);

#endif
