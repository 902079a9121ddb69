/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WRAPPER_ACCOUNT_H
#define WRAPPER_ACCOUNT_H

/*
 * The account of a command that a model works on: its steps as a tree
 * (TRACE_EVENT), made from the events of co-agent(7), and, if the command was to
 * investigate, review, plan or synthesize, its answer as a document
 * (INVESTIGATION_REPORT). The root of the tree is the prompt, with the answer
 * and the tokens when it is over; below it are what the agent said and thought,
 * and its tools. A node that goes on is sent again, with the same traceId, when
 * it is over. A command without events, such as that of a shell, has no account.
 */
#include <stdbool.h>
#include <stddef.h>

struct account;
struct doer_result;
struct json;
struct order;
struct report;

/* The maximum size of a text in a node; more is cut off. */
#define ACCOUNT_MAX_TEXT ((size_t)64 * 1024)

/* Create one; both are borrowed. */
struct account *account_new(struct report *report, const char *agent_id);

/* Free and null *a. */
void account_free(struct account **a);

/*
 * A command begins. Without with_tools there are no nodes for its tools: a
 * server that takes AGENT_EVENT makes them itself.
 */
void account_begin(struct account *a, struct order *x, bool with_tools);

/* An event of it, an object. */
void account_take(struct account *a, const struct json *event);

/* It is over. */
void account_end(struct account *a, const struct doer_result *result);

#endif
