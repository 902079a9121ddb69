/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MCP_MCP_CONTENT_H
#define MCP_MCP_CONTENT_H

/*
 * What a tool of an MCP server returned, as text for a language model. Pure
 * functions.
 */
#include <stdbool.h>
#include <stddef.h>

struct buf;
struct json;

/*
 * Append the content of a result of "tools/call": texts as they are, embedded
 * resources with their address above them, links, and a note in place of each
 * picture, sound and binary resource. Structured content is appended if there
 * is no text. What is longer than max bytes is cut, and a note says so; the
 * notes are within max. Returns whether the tool succeeded.
 */
bool mcp_content_put(struct buf *out, const struct json *result, size_t max);

/*
 * Cut what follows the first 'from' bytes of *out, valid UTF-8, to max bytes,
 * and say so in them. Returns whether it was too long.
 */
bool mcp_content_cut(struct buf *out, size_t from, size_t max);

#endif
