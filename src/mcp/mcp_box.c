/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "mcp/mcp_box.h"

#include "base/mem.h"
#include "core/agent.h"
#include "core/err.h"
#include "core/mcp_servers.h"
#include "fetch/fetch.h"
#include "mcp/mcp_conn.h"
#include "mcp/mcp_run.h"
#include "net/loop.h"
#include "runner/runner.h"

#include <stdlib.h>

/* An answer to server/discover, before a program is taken for an older one. */
#define PROBE_MS 5000

/* Until the tools are known; a program may have to be downloaded. */
#define CONNECT_MS 60000

/* Until a program that is not used is ended. */
#define IDLE_MS 600000

/* The first delay after a failure. */
#define RETRY_MS 1000

/* Requests of HTTP to one server: calls, and what goes with them. */
#define FETCHES (2 * MCP_CONN_REQUESTS)

/* HTTP connections that are usual at a time, for the limit of descriptors. */
#define USUAL_FETCHES 64

struct box {
	struct toolbox base;
	struct mcp_run_place place;
};

struct mcp_boxes {
	struct agent_spec spec;
	struct mcp_servers servers;
	struct fetch *fetch;
	struct box *all;
};

static struct box *box_of(struct toolbox *b)
{
	return (struct box *)(void *)b;
}

static const struct mcp_conn *conn_of(const struct toolbox *b)
{
	return ((const struct box *)(const void *)b)->place.conn;
}

static enum toolbox_load box_load(const struct toolbox *b)
{
	return mcp_conn_load(conn_of(b));
}

static const struct tool *box_tool(const struct toolbox *b, size_t i)
{
	const struct mcp_tools *tools = mcp_conn_tools(conn_of(b));

	return i < tools->n ? &tools->all[i].tool : NULL;
}

static struct tool_run *box_start(struct toolbox *b,
    const struct tool_call *call, const struct tool_call_ops *ops, void *arg)
{
	return mcp_run_start(&box_of(b)->place, call, ops, arg);
}

/* Whoever opened the boxes frees them. */
static void box_close(struct toolbox **b)
{
	struct box *box = box_of(*b);

	*b = NULL;
	mcp_run_cancel_all(&box->place);
	mcp_conn_close(&box->place.conn);
}

static const struct toolbox_ops box_ops = {
    .load = box_load,
    .tool = box_tool,
    .start = box_start,
    .answer = mcp_run_answer,
    .cancel = mcp_run_cancel,
    .close = box_close,
};

static int64_t or_usual(int64_t ms, int64_t usual_ms)
{
	return ms ? ms : usual_ms;
}

static void box_open(struct box *box, struct mcp_boxes *b,
    const struct mcp_server *server, const struct agent_setup *setup,
    const struct mcp_times *times)
{
	const struct mcp_conn_setup conn = {
	    .loop = setup->loop,
	    .fetch = b->fetch,
	    .crew = setup->crew,
	    .spec = &b->spec,
	    .server = server,
	    .probe_ms = or_usual(times->probe_ms, PROBE_MS),
	    .connect_ms = or_usual(times->connect_ms, CONNECT_MS),
	    .idle_ms = or_usual(times->idle_ms, IDLE_MS),
	    .retry_ms = or_usual(times->retry_ms, RETRY_MS),
	};

	box->base.ops = &box_ops;
	list_init(&box->place.runs);
	box->place.loop = setup->loop;
	box->place.timeout_ms = server->timeout_ms;
	box->place.conn = mcp_conn_open(&conn);
}

struct mcp_boxes *mcp_boxes_open(const struct agent_setup *setup,
    const char *servers, const struct mcp_times *times, struct err *err)
{
	static const struct mcp_times usual;
	struct mcp_boxes *b = mem_zero(sizeof *b);

	if (mcp_servers_read(&b->servers, servers, true, err) != 0) {
		free(b);
		return NULL;
	}
	b->spec = setup->spec;
	b->fetch = fetch_open(setup->loop, FETCHES * (b->servers.n + 1));
	b->all = mem_zero((b->servers.n + 1) * sizeof *b->all);
	for (size_t i = 0; i < b->servers.n; i++)
		box_open(&b->all[i], b, &b->servers.all[i], setup,
		    times ? times : &usual);
	return b;
}

struct toolbox *mcp_boxes_get(const struct mcp_boxes *b, size_t i)
{
	return i < b->servers.n ? &b->all[i].base : NULL;
}

void mcp_boxes_close(struct mcp_boxes **bp)
{
	struct mcp_boxes *b = *bp;

	*bp = NULL;
	if (!b)
		return;
	for (size_t i = 0; i < b->servers.n; i++) {
		struct toolbox *box = &b->all[i].base;
		if (b->all[i].place.conn)
			box_close(&box);
	}
	fetch_close(&b->fetch);
	mcp_servers_fini(&b->servers);
	free(b->all);
	free(b);
}

int64_t mcp_boxes_descriptors(const char *servers)
{
	struct mcp_servers s;
	struct err err;
	int64_t n = 0;

	if (mcp_servers_read(&s, servers, false, &err) != 0)
		return 0;
	for (size_t i = 0; i < s.n; i++)
		n += s.all[i].argv ? RUNNER_DESCRIPTORS : USUAL_FETCHES;
	mcp_servers_fini(&s);
	return n;
}
