/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "tools/tool_todo.h"

#include "base/buf.h"
#include "base/json.h"

void tool_todo_result(struct buf *out, const struct json *args)
{
	buf_printf(
	    out, "Updated %zu todos", json_count(json_get(args, "todos")));
}

/* Append a member that is a string, or what is usual. */
static void put(struct buf *out, const struct json *todo, const char *name,
    const char *usual)
{
	const struct json *v = json_get(todo, name);
	size_t len;

	buf_printf(out, "\"%s\":", name);
	if (json_is(v, JSON_STRING)) {
		const char *text = json_text(v, &len);
		buf_append(out, text, len);
	} else {
		buf_json_str(out, usual);
	}
}

void tool_todo_plan(struct buf *out, const struct json *args)
{
	const struct json *todos = json_get(args, "todos");

	buf_str(out, "{\"entries\":[");
	for (const struct json *t = json_first(todos); t; t = json_next(t)) {
		buf_str(out, t == json_first(todos) ? "{" : ",{");
		put(out, t, "content", "");
		buf_char(out, ',');
		put(out, t, "priority", "medium");
		buf_char(out, ',');
		put(out, t, "status", "pending");
		buf_char(out, '}');
	}
	buf_str(out, "]}");
}
