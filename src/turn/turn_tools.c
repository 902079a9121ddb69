/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "turn/turn_int.h"

#include "base/json.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* The maximum number of open tool calls; one more closes the oldest. */
#define TOOLS_OPEN 1000

/* A tool call without a result yet. */
struct tool {
	struct list link; /* first member: turn_forget_tools() */
	size_t id_len;
	size_t name_len;
	char text[]; /* id, then name */
};

static void free_tool(struct turn *t, struct tool *tool)
{
	t->n_tools--;
	list_remove(&tool->link);
	free(tool);
}

static struct tool *find_tool(struct turn *t, const char *id, size_t len)
{
	list_each(it, &t->tools)
	{
		struct tool *tool = list_entry(it, struct tool, link);
		if (tool->id_len == len && memcmp(tool->text, id, len) == 0)
			return tool;
	}
	return NULL;
}

static void close_tool(struct turn *t, struct tool *tool, const char *why)
{
	struct draft d = {0};
	event_begin(&d, EV_TOOL_RESULT, t->number);
	event_str(&d, "tool_id", tool->text, tool->id_len);
	event_str(&d, "name", tool->text + tool->id_len, tool->name_len);
	event_str(&d, "status", "error", 5);
	event_str(&d, "result", why, strlen(why));
	turn_tell(t, &d);
	event_fini(&d);
	free_tool(t, tool);
}

static void open_tool(
    struct turn *t, struct store_span id, struct store_span name)
{
	if (t->n_tools == TOOLS_OPEN)
		close_tool(t, list_entry(t->tools.next, struct tool, link),
		    "no result: too many tool calls are open");
	struct tool *tool = mem_zero(sizeof *tool + id.len + name.len);
	tool->id_len = id.len;
	tool->name_len = name.len;
	memcpy(tool->text, id.data, id.len);
	memcpy(tool->text + id.len, name.data, name.len);
	list_append(&t->tools, &tool->link);
	t->n_tools++;
}

static void note(struct turn *t, enum event_type type, struct store_span id,
    struct store_span name)
{
	struct tool *tool = find_tool(t, id.data, id.len);
	if (type == EV_TOOL_CALL && !tool)
		open_tool(t, id, name);
	else if (type == EV_TOOL_RESULT && tool)
		free_tool(t, tool);
}

/* Take KEY and a string without escapes from the beginning of a body. */
static bool take_text(
    struct store_span *rest, const char *key, struct store_span *text)
{
	const char *p = rest->data;
	size_t n = strlen(key);
	if (rest->len < n || memcmp(p, key, n) != 0)
		return false;
	const char *end = memchr(p + n, '"', rest->len - n);
	if (!end || memchr(p + n, '\\', (size_t)(end - p) - n))
		return false;
	*text = (struct store_span){p + n, (size_t)(end - p) - n};
	*rest = (struct store_span){end + 1, rest->len - (size_t)(end + 1 - p)};
	return true;
}

/* The bodies of most agents begin like this, and need no parsing. */
static bool note_quickly(
    struct turn *t, enum event_type type, struct store_span body)
{
	struct store_span id, name;
	if (!take_text(&body, "\"tool_id\":\"", &id) ||
	    !take_text(&body, ",\"name\":\"", &name))
		return false;
	note(t, type, id, name);
	return true;
}

void turn_tools_note(
    struct turn *t, enum event_type type, const char *body, size_t len)
{
	struct json_doc doc = {0};
	struct buf text = {0}, mem = {0}, more = {0};
	struct event ev = {.type = type, .body = body, .body_len = len};
	struct store_span id, name;
	if (type != EV_TOOL_CALL && type != EV_TOOL_RESULT)
		return;
	if (note_quickly(t, type, (struct store_span){body, len}))
		return;
	const struct json *v = event_fields(&ev, &doc, &text);
	id.data = json_str(json_get(v, "tool_id"), &mem, &id.len);
	name.data = json_str(json_get(v, "name"), &more, &name.len);
	if (id.data && name.data)
		note(t, type, id, name);
	buf_fini(&more);
	buf_fini(&mem);
	buf_fini(&text);
	json_fini(&doc);
}

/* The reason of the end, taken from the turn_result. */
static void reason_of(struct buf *why, const struct draft *d)
{
	struct json_doc doc = {0};
	struct buf text = {0}, mem = {0};
	struct event ev = {
	    .type = d->type, .body = d->body.data, .body_len = d->body.len};
	size_t len = 0;
	const struct json *v = event_fields(&ev, &doc, &text);
	const char *word = json_str(json_get(v, "reason"), &mem, &len);
	buf_append(why, word, word ? len : 0);
	buf_fini(&mem);
	buf_fini(&text);
	json_fini(&doc);
}

void turn_tools_end(struct turn *t, const struct draft *d)
{
	struct buf why = {0};
	if (list_is_empty(&t->tools))
		return;
	reason_of(&why, d);
	turn_tools_close(t, buf_cstr(&why));
	buf_fini(&why);
}

void turn_tools_close(struct turn *t, const char *reason)
{
	struct buf why = {0};
	if (list_is_empty(&t->tools))
		return;
	buf_printf(&why, "no result: the turn ended (%s)", reason);
	while (!list_is_empty(&t->tools))
		close_tool(t, list_entry(t->tools.next, struct tool, link),
		    buf_cstr(&why));
	buf_fini(&why);
}
