/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MCP_MCP_CONN_INT_H
#define MCP_MCP_CONN_INT_H

/*
 * The inside of a connection, for its own files: mcp_conn_out.c says things to
 * the server, mcp_conn_in.c reads what it says, and mcp_conn.c has the life of
 * the connection.
 */
#include "mcp/mcp_conn.h"
#include "net/loop.h"
#include "runner/runner.h"
#include "runner/source.h"

struct mcp_wire;
struct mcp_wire_handlers;

/* Between two lists of tools, whatever a server tells. */
#define MCP_CONN_RELIST_MS 1000

enum mcp_step {
	STEP_IDLE,	 /* there is no wire */
	STEP_WAITING,	 /* there is none, after a failure */
	STEP_DISCOVER,	 /* server/discover was sent */
	STEP_INITIALIZE, /* initialize was sent */
	STEP_READY,
};

struct mcp_conn {
	struct mcp_conn_setup setup;
	bool is_program;
	struct source_exec source;
	struct runner_place place;
	struct mcp_wire *wire;
	enum mcp_step step;
	struct mcp_about about;
	/*
	 * A program may answer server/discover so late that initialize was sent
	 * already; if that is refused, the late answer counts.
	 */
	struct mcp_about late;
	int64_t last_id;
	int64_t discover_id;
	int64_t step_id;   /* of initialize */
	int64_t listen_id; /* of subscriptions/listen; -1: none */
	int64_t list_id;   /* of tools/list; -1: none */
	unsigned n_pages;
	bool is_list_stale; /* the server told that it has changed */
	bool is_loaded;
	struct mcp_tools tools;
	struct mcp_tools next_tools; /* while they are listed */
	struct list waiting;	     /* requests not sent */
	struct list sent;
	size_t n_requests;
	unsigned failures;
	unsigned complaints;
	int64_t delay_ms;
	char why[256];	 /* why it failed last */
	bool is_failing; /* at the end of the tick */
	int64_t
	    listen_ms; /* the last delay before it is asked to tell changes */
	struct loop_later later;
	struct loop_timer timer;  /* of the step, or until the next attempt */
	struct loop_timer relist; /* until the next list */
	struct loop_timer idle;
};

/* ---- mcp_conn_out.c ---- */

/* Let it fail at the end of the tick; the first reason counts. */
void mcp_conn_fail(struct mcp_conn *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Count a message that makes no sense, and log the first ones. */
void mcp_conn_complain(struct mcp_conn *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The first request on a new wire, or the one of the older generation. */
void mcp_conn_say_discover(struct mcp_conn *c);
void mcp_conn_say_initialize(struct mcp_conn *c);

/* Send the requests that wait for a session, if it is ready. */
void mcp_conn_send_waiting(struct mcp_conn *c);

/* The server is known: list its tools, and send what waits. */
void mcp_conn_become_ready(struct mcp_conn *c);

/* List the tools once more, and ask to be told of changes if need be. */
void mcp_conn_relist(struct mcp_conn *c);

/* Ask for the next page. */
void mcp_conn_list(struct mcp_conn *c, const struct json *cursor);

/* All pages are there. */
void mcp_conn_finish_list(struct mcp_conn *c);

/* Send a request, which is then in progress. */
void mcp_conn_send_request(struct mcp_conn *c, struct mcp_request *r);

/* Tell the server that a request is withdrawn. */
void mcp_conn_say_cancelled(struct mcp_conn *c, const struct mcp_request *r);

/* Answer a request of the server; text is a whole message. */
void mcp_conn_say_answer(struct mcp_conn *c, const struct buf *text);

/* Let a program that has nothing to do end in a while. */
void mcp_conn_rest(struct mcp_conn *c);

/* ---- mcp_conn_in.c ---- */

extern const struct mcp_wire_handlers mcp_conn_handlers;

#endif
