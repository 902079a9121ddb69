/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef TOOLS_TOOL_TODO_H
#define TOOLS_TOOL_TODO_H

/*
 * The tool todo: the model says its whole plan, each time that it changes. The
 * tool has no state; the plan is what the last call says. Pure functions.
 */
struct buf;
struct json;

/* Append the result of a call whose arguments fit the schema. */
void tool_todo_result(struct buf *out, const struct json *args);

/*
 * Append the body of the event plan (core/events.tbl) for such a call:
 * {"entries": [{"content", "priority", "status"}, ...]}.
 */
void tool_todo_plan(struct buf *out, const struct json *args);

#endif
