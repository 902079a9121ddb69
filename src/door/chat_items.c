/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "door/chat_items.h"

#include "base/buf.h"
#include "base/json.h"

#include <string.h>

/*
 * The text with which the reference wraps runtime input; users never typed it.
 */
#define RUNTIME_HEAD \
	"[The user sent this while you were working on the previous request."
#define RUNTIME_TAIL "in your response.]\n\n"

/* A walk through a conversation: the messages, and in parallel the trace. */
struct chat {
	struct buf *out;
	const char *sep;	 /* "" before the first item */
	const struct json *next; /* the next trace entry */
	size_t next_index;
	bool has_marks;	    /* the trace marks the beginnings of turns */
	bool runtime_opens; /* prompts sent during a turn count as marks */
};

static void open_item(struct chat *c, const char *type)
{
	buf_str(c->out, c->sep);
	buf_str(c->out, "{\"type\":\"");
	buf_str(c->out, type);
	buf_char(c->out, '"');
	c->sep = ",";
}

static void item_id(
    struct chat *c, const struct json *id, const char *kind, size_t index)
{
	size_t len = 0;
	const char *text = json_text(id, &len);

	buf_str(c->out, ",\"id\":");
	if (json_is(id, JSON_STRING)) {
		buf_append(c->out, text, len);
		return;
	}
	buf_char(c->out, '"');
	buf_str(c->out, kind);
	buf_char(c->out, '-');
	buf_int(c->out, (int64_t)index);
	buf_char(c->out, '"');
}

static void item_field(
    struct chat *c, const struct json *entry, const char *name)
{
	const struct json *v = json_get(entry, name);
	size_t len = 0;

	if (!v)
		return;
	const char *text = json_text(v, &len);
	buf_str(c->out, ",\"");
	buf_str(c->out, name);
	buf_str(c->out, "\":");
	buf_append(c->out, text, len);
}

static void item_word(struct chat *c, const char *status)
{
	buf_printf(c->out, ",\"status\":\"%s\"", status);
}

static void tool_item(struct chat *c, const struct json *entry, size_t index)
{
	const struct json *status = json_get(entry, "status");
	bool is_done = json_str_is(status, "success") ||
		       json_str_is(status, "done") ||
		       json_str_is(status, "completed");

	open_item(c, "tool_call");
	item_id(c, json_get(entry, "tool_id"), "tool", index);
	item_field(c, entry, "name");
	item_field(c, entry, "args");
	item_word(c, is_done ? "done" : "error");
	item_field(c, entry, "result");
	item_field(c, entry, "timing_ms");
	item_field(c, entry, "summary");
	buf_char(c->out, '}');
}

static void files_item(struct chat *c, const struct json *entry, size_t index)
{
	open_item(c, "files_received");
	item_id(c, NULL, "files", index);
	item_field(c, entry, "files");
	buf_char(c->out, '}');
}

static void intent_item(struct chat *c, const struct json *entry, size_t index)
{
	if (json_str_is(json_get(entry, "status"), "analyzing"))
		return;
	open_item(c, "intent");
	item_id(c, json_get(entry, "id"), "intent", index);
	item_word(c, "understood");
	item_field(c, entry, "ack");
	item_field(c, entry, "is_build");
	buf_char(c->out, '}');
}

static void eval_item(struct chat *c, const struct json *entry, size_t index)
{
	if (json_str_is(json_get(entry, "status"), "evaluating"))
		return;
	open_item(c, "eval");
	item_id(c, json_get(entry, "id"), "eval", index);
	item_word(c, "done");
	item_field(c, entry, "passed");
	item_field(c, entry, "summary");
	item_field(c, entry, "expected");
	item_field(c, entry, "eval_path");
	buf_char(c->out, '}');
}

static void thinking_item(
    struct chat *c, const struct json *entry, size_t index)
{
	open_item(c, "thinking");
	item_id(c, json_get(entry, "id"), "thinking", index);
	item_word(c, "done");
	item_field(c, entry, "content");
	item_field(c, entry, "kind");
	buf_char(c->out, '}');
}

static void trace_item(struct chat *c, const struct json *entry, size_t index)
{
	static const struct {
		const char *type;
		void (*fn)(
		    struct chat *c, const struct json *entry, size_t index);
	} kinds[] = {
	    {"tool_result", tool_item},
	    {"files_received", files_item},
	    {"intent", intent_item},
	    {"eval", eval_item},
	    {"thinking", thinking_item},
	};
	const struct json *type = json_get(entry, "type");

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (json_str_is(type, kinds[i].type))
			kinds[i].fn(c, entry, index);
	}
}

static bool is_runtime(const struct json *entry)
{
	bool is_true = false;

	return json_bool(json_get(entry, "runtime_input"), &is_true) && is_true;
}

static bool is_turn_mark(const struct chat *c, const struct json *entry)
{
	return json_str_is(json_get(entry, "type"), "user_input") &&
	       (c->runtime_opens || !is_runtime(entry));
}

static void chat_items_step(struct chat *c)
{
	c->next = json_next(c->next);
	c->next_index++;
}

/* Emit the trace entries up to the mark of the next turn. */
static void turn_items(struct chat *c)
{
	for (; c->next && !is_turn_mark(c, c->next); chat_items_step(c))
		trace_item(c, c->next, c->next_index);
}

/* Emit the trace of the turn that the next user message opened. */
static void next_turn(struct chat *c)
{
	while (c->next && !is_turn_mark(c, c->next))
		chat_items_step(c);
	if (!c->next)
		return;
	chat_items_step(c);
	turn_items(c);
}

static size_t count_marks(const struct chat *c, const struct json *trace)
{
	size_t n = 0;

	for (const struct json *e = json_first(trace); e; e = json_next(e))
		n += is_turn_mark(c, e);
	return n;
}

static size_t count_users(const struct json *messages)
{
	size_t n = 0;

	for (const struct json *m = json_first(messages); m; m = json_next(m))
		n += json_str_is(json_get(m, "role"), "user");
	return n;
}

/*
 * Some agents store a prompt sent during a turn as a message, some do not. It
 * counts as the mark of a turn unless messages and trace only match without it.
 */
static void read_marks(
    struct chat *c, const struct json *trace, const struct json *messages)
{
	size_t users = count_users(messages);

	c->runtime_opens = false;
	if (count_marks(c, trace) != users)
		c->runtime_opens = true;
	c->has_marks = count_marks(c, trace) > 0;
}

/* What the user typed: a string, or the text parts of an array. */
static void content_text(struct buf *text, const struct json *content)
{
	size_t len = 0;
	struct buf scratch = {0};

	for (const struct json *part = json_first(content); part;
	     part = json_next(part)) {
		const struct json *v = json_get(part, "text");
		const char *s = json_str(v, &scratch, &len);
		if (s)
			buf_append(text, s, len);
		buf_reset(&scratch);
	}
	buf_fini(&scratch);
}

static void user_text(struct buf *text, const struct json *content)
{
	struct buf scratch = {0};
	size_t len = 0;
	const char *s = json_str(content, &scratch, &len);

	if (s)
		buf_append(text, s, len);
	else if (json_is(content, JSON_ARRAY))
		content_text(text, content);
	buf_fini(&scratch);
}

static size_t runtime_prefix(const struct buf *text)
{
	const char *end;

	if (text->len < strlen(RUNTIME_HEAD) ||
	    memcmp(text->data, RUNTIME_HEAD, strlen(RUNTIME_HEAD)) != 0)
		return 0;
	end = memmem(text->data, text->len, RUNTIME_TAIL, strlen(RUNTIME_TAIL));
	if (!end)
		return 0;
	return (size_t)(end - text->data) + strlen(RUNTIME_TAIL);
}

static void user_item(struct chat *c, const struct json *message, size_t index)
{
	struct buf text = {0};
	bool is_internal = false;

	/* An internal message is hidden, but opens a turn like any other. */
	if (json_bool(json_get(message, "internal"), &is_internal) &&
	    is_internal)
		return;
	user_text(&text, json_get(message, "content"));
	buf_consume(&text, runtime_prefix(&text));
	open_item(c, "user");
	item_id(c, NULL, "msg", index);
	buf_str(c->out, ",\"content\":");
	buf_json(c->out, text.data, text.len);
	buf_char(c->out, '}');
	buf_fini(&text);
}

static void agent_item(struct chat *c, const struct json *message, size_t index)
{
	const struct json *content = json_get(message, "content");

	if (!json_is(content, JSON_STRING) || json_str_is(content, ""))
		return;
	open_item(c, "agent");
	item_id(c, json_get(message, "id"), "msg", index);
	item_field(c, message, "content");
	buf_char(c->out, '}');
}

static void message_items(
    struct chat *c, const struct json *message, size_t index)
{
	const struct json *role = json_get(message, "role");

	if (json_str_is(role, "user")) {
		user_item(c, message, index);
		if (c->has_marks)
			next_turn(c);
	} else if (json_str_is(role, "assistant")) {
		agent_item(c, message, index);
	}
}

static void chat_walk(struct chat *c, const struct json *session)
{
	const struct json *trace = json_get(session, "trace");
	const struct json *messages = json_get(session, "messages");
	size_t index = 0;

	read_marks(c, trace, messages);
	c->next = json_first(trace);
	for (const struct json *m = json_first(messages); m; m = json_next(m))
		message_items(c, m, index++);
	if (!c->has_marks)
		turn_items(c);
}

void chat_items_put(struct buf *out, const char *conversation, size_t len)
{
	struct json_doc doc = {0};
	struct json_error error;
	struct chat c = {.out = out, .sep = ""};
	const struct json *session =
	    json_parse(&doc, conversation, len, 0, &error);

	buf_char(out, '[');
	if (json_is(session, JSON_OBJECT))
		chat_walk(&c, session);
	buf_char(out, ']');
	json_fini(&doc);
}
