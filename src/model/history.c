/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "model/history.h"

#include "base/json.h"

#include <string.h>
#include <strings.h>

static void put_text(struct buf *out, const struct json *v)
{
	size_t len;
	const char *text = json_text(v, &len);

	buf_append(out, text, len);
}

/*
 * A server of models that runs beside us must not read files, or ask its
 * neighbours, for whoever wrote the conversation.
 */
static bool is_harmless(const struct json *url)
{
	static const char *const begins[] = {"data:image/", "https://"};
	struct buf scratch = {0};
	size_t len = 0;
	const char *text = json_str(url, &scratch, &len);
	bool is_it = false;

	for (size_t i = 0; text && i < sizeof begins / sizeof *begins; i++)
		is_it |= len > strlen(begins[i]) &&
			 strncasecmp(text, begins[i], strlen(begins[i])) == 0;
	buf_fini(&scratch);
	return is_it;
}

static bool is_part(const struct json *part)
{
	const struct json *type = json_get(part, "type");

	if (json_str_is(type, "text"))
		return json_is(json_get(part, "text"), JSON_STRING);
	return json_str_is(type, "image_url") &&
	       is_harmless(json_get(json_get(part, "image_url"), "url"));
}

static void put_parts(struct buf *out, const struct json *content)
{
	const char *sep = "[";

	for (const struct json *p = json_first(content); p; p = json_next(p)) {
		if (!is_part(p))
			continue;
		buf_str(out, sep);
		put_text(out, p);
		sep = ",";
	}
	buf_str(out, *sep == '[' ? "\"\"" : "]");
}

static void put_content(struct buf *out, const struct json *message)
{
	const struct json *content = json_get(message, "content");

	buf_str(out, ",\"content\":");
	if (json_is(content, JSON_ARRAY))
		put_parts(out, content);
	else if (json_is(content, JSON_STRING))
		put_text(out, content);
	else
		buf_str(out, "\"\"");
}

static bool has_content(const struct json *message)
{
	const struct json *content = json_get(message, "content");

	return json_is(content, JSON_STRING) ? !json_str_is(content, "")
					     : json_count(content) > 0;
}

static bool is_role(const struct json *message, const char *role)
{
	return json_str_is(json_get(message, "role"), role);
}

static bool is_same(const struct json *a, const struct json *b)
{
	size_t a_len, b_len;

	if (!json_is(a, JSON_STRING) || !json_is(b, JSON_STRING))
		return false;
	const char *x = json_text(a, &a_len), *y = json_text(b, &b_len);
	return a_len == b_len && memcmp(x, y, a_len) == 0;
}

/* Returns the message with the result of a call, among those that follow. */
static const struct json *find_result(
    const struct json *message, const struct json *id)
{
	for (const struct json *m = json_next(message); m; m = json_next(m)) {
		if (!is_role(m, "tool"))
			return NULL;
		if (is_same(json_get(m, "tool_call_id"), id))
			return m;
	}
	return NULL;
}

static void put_result(
    struct buf *out, const struct json *id, const struct json *result)
{
	buf_str(out, ",{\"role\":\"tool\",\"tool_call_id\":");
	put_text(out, id);
	if (result)
		put_content(out, result);
	else {
		buf_str(out, ",\"content\":");
		buf_json_str(out, HISTORY_INTERRUPTED);
	}
	buf_char(out, '}');
}

/* A call is of use only with an id and the name of a function. */
static bool is_call(const struct json *call)
{
	const struct json *function = json_get(call, "function");

	return json_is(json_get(call, "id"), JSON_STRING) &&
	       json_is(json_get(function, "name"), JSON_STRING);
}

static void put_call(struct buf *out, const struct json *call)
{
	const struct json *function = json_get(call, "function");
	const struct json *args = json_get(function, "arguments");

	buf_str(out, "{\"id\":");
	put_text(out, json_get(call, "id"));
	buf_str(out, ",\"type\":\"function\",\"function\":{\"name\":");
	put_text(out, json_get(function, "name"));
	buf_str(out, ",\"arguments\":");
	if (json_is(args, JSON_STRING) && !json_str_is(args, ""))
		put_text(out, args);
	else
		buf_str(out, "\"{}\"");
	buf_char(out, '}');
	if (json_is(json_get(call, "extra_content"), JSON_OBJECT)) {
		buf_str(out, ",\"extra_content\":");
		put_text(out, json_get(call, "extra_content"));
	}
	buf_char(out, '}');
}

static size_t count_calls(const struct json *calls)
{
	size_t n = 0;

	for (const struct json *c = json_first(calls); c; c = json_next(c))
		n += is_call(c);
	return n;
}

static void put_assistant(struct buf *out, const struct json *message)
{
	const struct json *calls = json_get(message, "tool_calls");
	size_t n = json_is(calls, JSON_ARRAY) ? count_calls(calls) : 0;

	if (!n && !has_content(message))
		return;
	buf_str(out, ",{\"role\":\"assistant\"");
	put_content(out, message);
	if (n) {
		const char *sep = ",\"tool_calls\":[";
		for (const struct json *c = json_first(calls); c;
		     c = json_next(c)) {
			if (!is_call(c))
				continue;
			buf_str(out, sep);
			put_call(out, c);
			sep = ",";
		}
		buf_char(out, ']');
	}
	buf_char(out, '}');
	for (const struct json *c = n ? json_first(calls) : NULL; c;
	     c = json_next(c))
		if (is_call(c))
			put_result(out, json_get(c, "id"),
			    find_result(message, json_get(c, "id")));
}

void history_write(struct buf *out, const struct json *messages)
{
	struct buf list = {0};

	if (json_is(messages, JSON_ARRAY))
		for (const struct json *m = json_first(messages); m;
		     m = json_next(m)) {
			if (is_role(m, "assistant"))
				put_assistant(&list, m);
			else if (is_role(m, "user") || is_role(m, "system")) {
				buf_str(&list, ",{\"role\":");
				put_text(&list, json_get(m, "role"));
				put_content(&list, m);
				buf_char(&list, '}');
			}
		}
	if (list.len)
		list.data[0] = '[';
	else
		buf_char(&list, '[');
	buf_append(out, list.data, list.len);
	buf_char(out, ']');
	buf_fini(&list);
}
