/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "wrapper/notes.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "wrapper/dialect.h"

#include <stdlib.h>
#include <string.h>

static void send(struct dialect *d, struct buf *event)
{
	buf_char(event, '}');
	d->handlers->on_event(d->arg, event->data, event->len);
	buf_fini(event);
}

static void begin(struct buf *out, const char *type)
{
	buf_printf(out, "{\"type\":\"%s\"", type);
}

/* Servers close connections for large messages. */
static size_t cut(struct span text)
{
	return utf8_cut(text.text, text.len, NOTES_MAX_TEXT);
}

static void put(struct buf *out, const char *key, struct span text)
{
	buf_printf(out, ",\"%s\":", key);
	buf_json(out, text.len ? text.text : "", cut(text));
}

static void put_object(struct buf *out, const char *key, struct span json)
{
	buf_printf(out, ",\"%s\":", key);
	if (json.len > NOTES_MAX_ARGS)
		buf_printf(out,
		    "{\"omitted\":\"%zu bytes are too many to be shown\"}",
		    json.len);
	else if (json.text && json.len && *json.text == '{')
		buf_append(out, json.text, json.len);
	else
		buf_str(out, "{}");
}

/* ---- values ---- */

bool notes_text(struct buf *out, const struct json *v)
{
	struct buf scratch = {0};
	size_t len;
	const char *text = json_str(v, &scratch, &len);

	if (text)
		buf_append(out, text, len);
	buf_fini(&scratch);
	return text != NULL;
}

struct span notes_json(const struct json *v)
{
	struct span s = {0};

	if (v)
		s.text = json_text(v, &s.len);
	return s;
}

struct span notes_span(struct buf *scratch, const struct json *v)
{
	struct span s = {0};

	s.text = json_str(v, scratch, &s.len);
	return s;
}

/* ---- tools ---- */

static struct note_tool *find(struct notes *n, struct span id)
{
	for (size_t i = 0; i < n->n_tools; i++)
		if (strlen(n->tools[i].id) == id.len &&
		    memcmp(n->tools[i].id, id.text, id.len) == 0)
			return &n->tools[i];
	return NULL;
}

static void forget(struct notes *n, struct note_tool *tool)
{
	free(tool->id);
	free(tool->name);
	*tool = n->tools[--n->n_tools];
}

void notes_call(struct notes *n, struct dialect *d, struct span id,
    struct span name, struct span args)
{
	struct buf event = {0};

	if (!id.text || find(n, id) || n->n_tools == NOTES_MAX_TOOLS)
		return;
	n->tools[n->n_tools++] = (struct note_tool){
	    mem_strndup(id.text, id.len),
	    mem_strndup(name.len ? name.text : "tool", name.len ? name.len : 4),
	};
	begin(&event, "tool_call");
	put(&event, "tool_id", id);
	put(&event, "name", name.len ? name : (struct span){"tool", 4});
	put_object(&event, "args", args);
	buf_str(&event, ",\"status\":\"running\"");
	send(d, &event);
}

static void end_tool(struct notes *n, struct dialect *d, struct note_tool *tool,
    bool is_success, struct span result)
{
	struct buf event = {0};

	if (result.len > NOTES_MAX_RESULT)
		result.len =
		    utf8_cut(result.text, result.len, NOTES_MAX_RESULT);
	begin(&event, "tool_result");
	put(&event, "tool_id", span_cstr(tool->id));
	put(&event, "name", span_cstr(tool->name));
	put(&event, "status",
	    is_success ? (struct span){"success", 7}
		       : (struct span){"error", 5});
	put(&event, "result", result);
	send(d, &event);
	forget(n, tool);
}

void notes_result(struct notes *n, struct dialect *d, struct span id,
    bool is_success, const struct buf *result)
{
	struct note_tool *tool = id.text ? find(n, id) : NULL;

	if (tool)
		end_tool(n, d, tool, is_success,
		    (struct span){result->data, result->len});
}

/* ---- words ---- */

void notes_say(struct notes *n, struct dialect *d, const char *type,
    const struct buf *text)
{
	struct span rest = {text->data, text->len};

	if (text->len == 0)
		return;
	if (strcmp(type, "assistant") == 0) {
		buf_reset(&n->answer);
		buf_append(&n->answer, text->data, text->len);
	}
	while (rest.len) {
		struct buf event = {0};
		size_t len = cut(rest);
		begin(&event, type);
		put(&event, "content", (struct span){rest.text, len});
		send(d, &event);
		rest = (struct span){rest.text + len, rest.len - len};
	}
}

void notes_approval(struct notes *n, struct dialect *d, struct span name,
    struct span args, struct span description)
{
	struct buf event = {0};

	(void)n;
	begin(&event, "approval_needed");
	put(&event, "tool", name);
	put_object(&event, "arguments", args);
	if (description.len)
		put(&event, "description", description);
	send(d, &event);
}

void notes_question(struct notes *n, struct dialect *d,
    const struct json *question, const struct json *options, bool is_multiple)
{
	struct buf event = {0}, text = {0};

	(void)n;
	begin(&event, "ask_user");
	put(&event, "question", notes_span(&text, question));
	buf_str(&event, ",\"options\":[");
	for (const struct json *o = json_first(options); o; o = json_next(o)) {
		struct span label = notes_json(json_get(o, "label"));
		buf_str(&event, event.data[event.len - 1] == '[' ? "" : ",");
		buf_append(&event, label.text ? label.text : "\"\"",
		    label.text ? label.len : 2);
	}
	buf_printf(
	    &event, "],\"multi_select\":%s", is_multiple ? "true" : "false");
	send(d, &event);
	buf_fini(&text);
}

/* ---- the end ---- */

static void report_usage(struct notes *n, struct dialect *d)
{
	struct buf event = {0};

	if (!n->has_usage)
		return;
	begin(&event, "llm_result");
	buf_printf(&event,
	    ",\"status\":\"success\",\"usage\":{\"input_tokens\":%lld,"
	    "\"output_tokens\":%lld,\"total_tokens\":%lld",
	    (long long)n->input_tokens, (long long)n->output_tokens,
	    (long long)(n->input_tokens + n->output_tokens));
	if (n->cost > 0)
		buf_printf(&event, ",\"cost\":%.6f", n->cost);
	buf_char(&event, '}');
	send(d, &event);
	n->has_usage = false;
	n->cost = 0;
}

void notes_end(
    struct notes *n, struct dialect *d, bool is_success, const char *text)
{
	static const char unfinished[] = "the turn ended before this tool";

	while (n->n_tools)
		end_tool(n, d, &n->tools[0], false,
		    (struct span){unfinished, sizeof unfinished - 1});
	report_usage(n, d);
	d->handlers->on_end(
	    d->arg, is_success, text ? text : buf_cstr(&n->answer));
	buf_reset(&n->answer);
}

void notes_fini(struct notes *n)
{
	while (n->n_tools)
		forget(n, &n->tools[0]);
	buf_fini(&n->answer);
}
