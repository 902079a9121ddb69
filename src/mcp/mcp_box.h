/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MCP_MCP_BOX_H
#define MCP_MCP_BOX_H

/*
 * The toolboxes (core/tool.h) of the MCP servers that the setting mcp_servers
 * names, one for each server. Each worker has its own connection to each server
 * (mcp/mcp_conn.h), which all its turns share. doc/mcp.txt describes it.
 */
#include "core/tool.h"

#include <stddef.h>
#include <stdint.h>

struct agent_setup;
struct err;
struct mcp_boxes;

/* Times in milliseconds; 0 anywhere: the usual one. */
struct mcp_times {
	int64_t probe_ms;
	int64_t connect_ms;
	int64_t idle_ms;
	int64_t retry_ms;
};

/*
 * Open the toolboxes of the servers in the JSON text of the setting; "" has
 * none. What setup refers to must outlive them; times may be NULL. Returns NULL
 * with ERR_CONFIG if a variable of the environment is not set.
 */
struct mcp_boxes *mcp_boxes_open(const struct agent_setup *setup,
    const char *servers, const struct mcp_times *times, struct err *err);

/* Returns the i-th toolbox, from 0, or NULL behind the last one. */
struct toolbox *mcp_boxes_get(const struct mcp_boxes *b, size_t i);

/*
 * Close the toolboxes that are not closed yet, with all calls cancelled, free
 * what they share, and set *b to NULL. NULL is accepted.
 */
void mcp_boxes_close(struct mcp_boxes **b);

/* Returns how many descriptors they may need in a worker. */
int64_t mcp_boxes_descriptors(const char *servers);

#endif
