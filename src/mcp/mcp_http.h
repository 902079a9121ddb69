/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MCP_MCP_HTTP_H
#define MCP_MCP_HTTP_H

/*
 * A wire (mcp/mcp_wire.h) to a server of streamable HTTP. Each message of ours
 * is a POST; the answer is a JSON object or an event stream. A stream that is
 * cut before its answer came is resumed with Last-Event-ID, if its events have
 * ids. A server of the older generation may give us a session; what it says by
 * itself comes by a GET, if it has one.
 */
struct fetch;
struct loop;
struct mcp_server;
struct mcp_wire;
struct mcp_wire_handlers;

/*
 * Open a wire; nothing is sent yet. fetch and server must outlive it. Never
 * returns NULL.
 */
struct mcp_wire *mcp_http_open(struct loop *loop, struct fetch *fetch,
    const struct mcp_server *server, const struct mcp_wire_handlers *handlers,
    void *arg);

#endif
