/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* Messages, as Anthropic documents them (version 2023-06-01). */
#include "model/codec.h"

#include "base/json.h"
#include "model/completion.h"
#include "model/fault.h"

#include <string.h>

/* Required by the provider; what its smaller models allow. */
#define MAX_TOKENS 8192

/* ---- request ---- */

/* A message is written as blocks; messages of one role become one. */
struct writer {
	struct buf *out;
	const char *role; /* of the message that is open, or NULL */
	bool has_block;
};

static void open_block(struct writer *w, const char *role)
{
	if (!w->role || strcmp(w->role, role) != 0) {
		buf_str(w->out, w->role ? "]}," : "");
		buf_printf(w->out, "{\"role\":\"%s\",\"content\":[", role);
		w->role = role;
		w->has_block = false;
	}
	if (w->has_block)
		buf_char(w->out, ',');
	w->has_block = true;
}

/* An empty text is refused. */
static void put_text(struct writer *w, const char *role, const struct json *v)
{
	size_t len;
	const char *text = json_text(v, &len);

	if (!json_is(v, JSON_STRING) || json_str_is(v, ""))
		return;
	open_block(w, role);
	buf_str(w->out, "{\"type\":\"text\",\"text\":");
	buf_append(w->out, text, len);
	buf_char(w->out, '}');
}

static void put_image(
    struct writer *w, const char *role, const struct json *image)
{
	struct buf scratch = {0};
	size_t len;
	const char *url = json_str(json_get(image, "url"), &scratch, &len);
	const char *comma = url ? memchr(url, ',', len) : NULL;
	const char *semi = url ? memchr(url, ';', len) : NULL;

	if (url) {
		open_block(w, role);
		buf_str(w->out, "{\"type\":\"image\",\"source\":{\"type\":");
	}
	if (url && len > 5 && memcmp(url, "data:", 5) == 0 && comma && semi &&
	    semi < comma) {
		buf_str(w->out, "\"base64\",\"media_type\":");
		buf_json(w->out, url + 5, (size_t)(semi - url) - 5);
		buf_str(w->out, ",\"data\":");
		buf_json(w->out, comma + 1, (size_t)(url + len - comma) - 1);
	} else if (url) {
		buf_str(w->out, "\"url\",\"url\":");
		buf_json(w->out, url, len);
	}
	if (url)
		buf_str(w->out, "}}");
	buf_fini(&scratch);
}

static void put_content(
    struct writer *w, const char *role, const struct json *content)
{
	if (!json_is(content, JSON_ARRAY)) {
		put_text(w, role, content);
		return;
	}
	for (const struct json *p = json_first(content); p; p = json_next(p)) {
		if (json_str_is(json_get(p, "type"), "image_url"))
			put_image(w, role, json_get(p, "image_url"));
		else
			put_text(w, role, json_get(p, "text"));
	}
}

/* Arguments that are no object were answered as an error: {} stands for them. */
static void put_args(struct buf *out, const struct json *args)
{
	struct buf scratch = {0};
	struct json_doc doc = {0};
	struct json_error error;
	size_t len;
	const char *text = json_str(args, &scratch, &len);
	bool is_object = text && json_is(json_parse(&doc, text, len, 0, &error),
				     JSON_OBJECT);

	if (is_object)
		buf_append(out, text, len);
	else
		buf_str(out, "{}");
	json_fini(&doc);
	buf_fini(&scratch);
}

static void put_member(
    struct buf *out, const char *before, const struct json *v)
{
	size_t len;
	const char *text = json_text(v, &len);

	buf_str(out, before);
	buf_append(out, text, len);
}

static void put_use(struct writer *w, const struct json *call)
{
	const struct json *function = json_get(call, "function");

	open_block(w, "assistant");
	put_member(
	    w->out, "{\"type\":\"tool_use\",\"id\":", json_get(call, "id"));
	put_member(w->out, ",\"name\":", json_get(function, "name"));
	buf_str(w->out, ",\"input\":");
	put_args(w->out, json_get(function, "arguments"));
	buf_char(w->out, '}');
}

static void put_result(struct writer *w, const struct json *message)
{
	const struct json *content = json_get(message, "content");

	open_block(w, "user");
	put_member(w->out, "{\"type\":\"tool_result\",\"tool_use_id\":",
	    json_get(message, "tool_call_id"));
	if (json_is(content, JSON_STRING))
		put_member(w->out, ",\"content\":", content);
	buf_char(w->out, '}');
}

static void put_message(struct writer *w, const struct json *m)
{
	const struct json *role = json_get(m, "role");

	if (json_str_is(role, "tool")) {
		put_result(w, m);
	} else if (json_str_is(role, "assistant")) {
		put_content(w, "assistant", json_get(m, "content"));
		for (const struct json *c =
			 json_first(json_get(m, "tool_calls"));
		     c; c = json_next(c))
			put_use(w, c);
	} else {
		/* One system prompt stands apart; later ones are the user's. */
		put_content(w, "user", json_get(m, "content"));
	}
}

static void anthropic_put_tool(struct buf *out, const struct model_tool *tool)
{
	buf_str(out, "{\"name\":");
	buf_json_str(out, tool->name);
	buf_str(out, ",\"description\":");
	buf_json_str(out, tool->description);
	buf_str(out, ",\"input_schema\":");
	buf_str(out, tool->schema);
	buf_char(out, '}');
}

static void anthropic_write(
    struct buf *out, const struct model_request *request)
{
	struct writer w = {.out = out};

	buf_str(out, "{\"model\":");
	buf_json_str(out, request->model);
	buf_printf(out, ",\"max_tokens\":%lld",
	    (long long)(request->max_tokens > 0 ? request->max_tokens
						: MAX_TOKENS));
	if (request->system) {
		buf_str(out, ",\"system\":");
		buf_json_str(out, request->system);
	}
	if (request->temperature >= 0)
		buf_printf(out, ",\"temperature\":%g", request->temperature);
	if (request->is_streamed)
		buf_str(out, ",\"stream\":true");
	for (size_t i = 0; i < request->n_tools; i++) {
		buf_str(out, i ? "," : ",\"tools\":[");
		anthropic_put_tool(out, &request->tools[i]);
	}
	buf_str(out, request->n_tools ? "]" : "");
	buf_str(out, ",\"messages\":[");
	for (const struct json *m = json_first(request->messages); m;
	     m = json_next(m))
		put_message(&w, m);
	buf_str(out, w.role ? "]}]}" : "]}");
}

static void anthropic_write_key(struct buf *out, const char *key)
{
	buf_str(out, "x-api-key: ");
	buf_str(out, key);
}

/* ---- answer ---- */

static void add_count(int64_t *to, const struct json *v)
{
	int64_t n;

	if (completion_count(&n, v))
		*to += n;
}

static void take_input_usage(struct completion *r, const struct json *usage)
{
	if (!json_is(usage, JSON_OBJECT))
		return;
	r->has_usage = true;
	r->input_tokens = r->cached_tokens = 0;
	add_count(
	    &r->cached_tokens, json_get(usage, "cache_read_input_tokens"));
	add_count(&r->input_tokens, json_get(usage, "input_tokens"));
	add_count(
	    &r->input_tokens, json_get(usage, "cache_creation_input_tokens"));
	r->input_tokens += r->cached_tokens;
}

static void take_output_usage(struct completion *r, const struct json *usage)
{
	if (completion_count(
		&r->output_tokens, json_get(usage, "output_tokens")))
		r->has_usage = true;
}

static void take_block(
    struct completion *r, int64_t index, const struct json *block)
{
	const struct json *type = json_get(block, "type");

	if (json_str_is(type, "text")) {
		completion_add_text(r, json_get(block, "text"));
	} else if (json_str_is(type, "thinking")) {
		completion_add_thinking(r, json_get(block, "thinking"));
	} else if (json_str_is(type, "tool_use")) {
		struct completion_call *c = completion_call(r, index);
		if (c)
			completion_call_name(
			    c, json_get(block, "id"), json_get(block, "name"));
	}
}

static void take_args(
    struct completion *r, int64_t index, const struct json *args)
{
	struct completion_call *c = completion_call(r, index);

	if (c)
		completion_add_args(r, c, args);
}

static void take_delta(
    struct completion *r, int64_t index, const struct json *delta)
{
	const struct json *type = json_get(delta, "type");

	if (json_str_is(type, "text_delta"))
		completion_add_text(r, json_get(delta, "text"));
	else if (json_str_is(type, "thinking_delta"))
		completion_add_thinking(r, json_get(delta, "thinking"));
	else if (json_str_is(type, "input_json_delta"))
		take_args(r, index, json_get(delta, "partial_json"));
}

static enum completion_status anthropic_status(const struct json *reason)
{
	if (json_str_is(reason, "max_tokens") ||
	    json_str_is(reason, "model_context_window_exceeded"))
		return COMPLETION_FULL;
	if (json_str_is(reason, "refusal"))
		return COMPLETION_REFUSED;
	return COMPLETION_COMPLETE;
}

static void take_end(struct completion *r, const struct json *o)
{
	const struct json *reason =
	    json_get(json_get(o, "delta"), "stop_reason");

	take_output_usage(r, json_get(o, "usage"));
	if (json_is(reason, JSON_STRING))
		completion_finish(r, anthropic_status(reason));
}

/* The type in the data decides; the name of the event says the same. */
static bool anthropic_take(
    struct completion *r, const char *name, const char *data, size_t len)
{
	const struct json *o = fault_parse(r, data, len);
	const struct json *type = json_get(o, "type");
	int64_t index = 0;

	(void)name;
	(void)json_int(json_get(o, "index"), &index);
	if (json_str_is(type, "message_stop"))
		return false;
	if (json_str_is(type, "error"))
		fault_error(r, 200, o);
	else if (json_str_is(type, "message_start"))
		take_input_usage(r, json_get(json_get(o, "message"), "usage"));
	else if (json_str_is(type, "content_block_start"))
		take_block(r, index, json_get(o, "content_block"));
	else if (json_str_is(type, "content_block_delta"))
		take_delta(r, index, json_get(o, "delta"));
	else if (json_str_is(type, "message_delta"))
		take_end(r, o);
	return r->status != COMPLETION_FAILED;
}

static void anthropic_take_whole(
    struct completion *r, const char *body, size_t len)
{
	const struct json *o = fault_parse(r, body, len);
	const struct json *reason = json_get(o, "stop_reason");
	int64_t index = 0;

	if (json_str_is(json_get(o, "type"), "error")) {
		fault_error(r, 200, o);
		return;
	}
	for (const struct json *b = json_first(json_get(o, "content")); b;
	     b = json_next(b), index++) {
		take_block(r, index, b);
		if (json_str_is(json_get(b, "type"), "tool_use"))
			take_args(r, index, json_get(b, "input"));
	}
	take_input_usage(r, json_get(o, "usage"));
	take_output_usage(r, json_get(o, "usage"));
	if (json_is(reason, JSON_STRING))
		completion_finish(r, anthropic_status(reason));
}

static const char *const anthropic_headers[] = {
    "anthropic-version: 2023-06-01",
    NULL,
};

const struct model_codec anthropic_codec = {
    .name = "anthropic",
    .path = "/v1/messages",
    .headers = anthropic_headers,
    .write = anthropic_write,
    .write_key = anthropic_write_key,
    .take = anthropic_take,
    .take_whole = anthropic_take_whole,
};
