/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MCP_MCP_RUN_H
#define MCP_MCP_RUN_H

/*
 * A call of a tool of an MCP server, from the side of the agent loop
 * (core/tool.h). It may take several requests: a server that wants to know
 * something from the user ends the first with a question, and is called again
 * with the answer; one of the older generation asks while the request runs.
 */
#include "base/list.h"
#include "core/tool.h"

struct loop;
struct mcp_conn;

/* What the calls of one server share; it outlives them. */
struct mcp_run_place {
	struct loop *loop;
	struct mcp_conn *conn;
	int64_t timeout_ms; /* of a request; people's time does not count */
	struct list runs;
};

/* As in struct toolbox_ops. */
struct tool_run *mcp_run_start(struct mcp_run_place *place,
    const struct tool_call *call, const struct tool_call_ops *ops, void *arg);
void mcp_run_answer(struct tool_run *run, const char *answer, size_t len);
void mcp_run_cancel(struct tool_run **run);

/* Cancel all calls of a server. */
void mcp_run_cancel_all(struct mcp_run_place *place);

#endif
