/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MCP_MCP_ASK_H
#define MCP_MCP_ASK_H

/*
 * What an MCP server wants to know from the user of a tool
 * ("elicitation/create"). Its form becomes one question for each field, asked
 * one after the other, and their answers become the result that the server
 * gets. No I/O.
 *
 * Life: mcp_ask_new -> [mcp_ask_put_question -> mcp_ask_answer ...] until
 * mcp_ask_is_over -> mcp_ask_put_result -> mcp_ask_free.
 *
 * An empty answer leaves an optional field out and declines a required one, and
 * so does the choice "Decline", which is offered wherever there are choices.
 */
#include <stdbool.h>
#include <stddef.h>

struct buf;
struct json;
struct mcp_ask;

/* The maximum number of fields; a longer form is declined. */
#define MCP_ASK_FIELDS 16

/* The same of the choices of a field. */
#define MCP_ASK_CHOICES 256

/* How often a field is asked again if the answer does not fit. */
#define MCP_ASK_ATTEMPTS 3

/*
 * Begin with the params of the request; server is the name that is shown. Never
 * NULL: a form that cannot be shown is over at once, and declined.
 */
struct mcp_ask *mcp_ask_new(const char *server, const struct json *params);

/* Whether there is nothing more to ask. */
bool mcp_ask_is_over(const struct mcp_ask *a);

/*
 * Append the question, as the body of an event ask_user: {"question",
 * "options", "multi_select"}.
 */
void mcp_ask_put_question(const struct mcp_ask *a, struct buf *out);

/* Take the answer, a JSON value: a text, or an array of chosen ones. */
void mcp_ask_answer(struct mcp_ask *a, const char *answer, size_t len);

/* Append the result: {"action":"accept","content":{...}}, or without it. */
void mcp_ask_put_result(const struct mcp_ask *a, struct buf *out);

/* Free it and set *a to NULL; NULL is accepted. */
void mcp_ask_free(struct mcp_ask **a);

#endif
