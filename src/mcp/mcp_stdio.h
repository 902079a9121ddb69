/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MCP_MCP_STDIO_H
#define MCP_MCP_STDIO_H

/*
 * A wire (mcp/mcp_wire.h) to a program that speaks MCP on its standard input and
 * output, a message a line. It runs below a co-turn, like the processes of an
 * agent (runner/runner.h): in the project's directory, as the agents' user, with
 * their limits. Of our environment it has what any program needs, and what the
 * setting names. Its standard error goes to the log.
 */
struct err;
struct mcp_server;
struct mcp_wire;
struct mcp_wire_handlers;
struct runner_place;

/*
 * Start the program. place must outlive the wire, and server as well. Returns
 * NULL with ERR_AGENT.
 */
struct mcp_wire *mcp_stdio_open(struct runner_place *place,
    const struct mcp_server *server, const struct mcp_wire_handlers *handlers,
    void *arg, struct err *err);

#endif
