/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agentloop/memory.h"

#include "base/utf8.h"

#include <string.h>
#include <strings.h>

/* An entry of the trace is left out if it is longer. */
#define ENTRY_BYTES ((size_t)16 << 10)

/* Members that the turn writes itself. */
static const char *const own[] = {
    "messages", "trace", "iteration", "permissions", NULL};

#define SUMMARY_HEAD                                                     \
	"[What was said and done before was long. This is a summary of " \
	"it.]\n\n"

static void memory_put(struct buf *out, const struct json *v)
{
	size_t len;
	const char *text = json_text(v, &len);

	buf_append(out, text, len);
	buf_char(out, ',');
}

void memory_init(
    struct memory *m, const char *given, size_t len, size_t max_bytes)
{
	struct json_error why;
	const struct json *messages;

	*m = (struct memory){.max_bytes = max_bytes};
	m->given = json_parse(&m->doc, given, len, 0, &why);
	if (!json_is(m->given, JSON_OBJECT))
		m->given = NULL;
	messages = json_get(m->given, "messages");
	if (!json_is(messages, JSON_ARRAY))
		return;
	for (const struct json *v = json_first(messages); v; v = json_next(v))
		if (json_is(v, JSON_OBJECT))
			memory_put(&m->messages, v);
}

void memory_fini(struct memory *m)
{
	json_fini(&m->doc);
	buf_fini(&m->messages);
	buf_fini(&m->trace);
	buf_fini(&m->grants);
}

/* ---- messages ---- */

/*
 * Clients may send the base64 alone, while models want a URL. Its first
 * characters tell the type.
 */
static const char *image_head(const struct json *image)
{
	static const char *const heads[][2] = {
	    {"/9j/", "data:image/jpeg;base64,"},
	    {"R0lG", "data:image/gif;base64,"},
	    {"UklG", "data:image/webp;base64,"},
	};
	size_t len;
	const char *text = json_text(image, &len);

	if (len > 6 && strncasecmp(text + 1, "data:", 5) == 0)
		return "";
	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
		if (len > 5 && memcmp(text + 1, heads[i][0], 4) == 0)
			return heads[i][1];
	return "data:image/png;base64,";
}

static void put_images(struct buf *out, const struct json *images)
{
	for (const struct json *v = json_first(images); v; v = json_next(v)) {
		if (!json_is(v, JSON_STRING))
			continue;
		size_t len;
		const char *text = json_text(v, &len);
		buf_str(
		    out, ",{\"type\":\"image_url\",\"image_url\":{\"url\":\"");
		buf_str(out, image_head(v));
		buf_append(out, text + 1, len - 1); /* without its quote */
		buf_str(out, "}}");
	}
}

void memory_add_user(struct memory *m, const char *text, size_t len,
    const char *images, size_t images_len)
{
	struct json_doc doc = {0};
	struct json_error why;
	struct buf *out = &m->messages;
	const struct json *list =
	    images_len ? json_parse(&doc, images, images_len, 0, &why) : NULL;

	buf_str(out, "{\"role\":\"user\",\"content\":");
	if (json_is(list, JSON_ARRAY) && json_count(list)) {
		buf_str(out, "[{\"type\":\"text\",\"text\":");
		buf_json(out, text, len);
		buf_char(out, '}');
		put_images(out, list);
		buf_char(out, ']');
	} else {
		buf_json(out, text, len);
	}
	buf_str(out, "},");
	json_fini(&doc);
}

void memory_add_answer(struct memory *m, const char *text, size_t len,
    const char *calls, size_t calls_len)
{
	bool has_calls = calls_len > strlen("[]");

	if (!len && !has_calls)
		return;
	buf_str(&m->messages, "{\"role\":\"assistant\",\"content\":");
	buf_json(&m->messages, text, len);
	if (has_calls) {
		buf_str(&m->messages, ",\"tool_calls\":");
		buf_append(&m->messages, calls, calls_len);
	}
	buf_str(&m->messages, "},");
}

void memory_add_result(
    struct memory *m, const char *call_id, const char *text, size_t len)
{
	buf_str(&m->messages, "{\"role\":\"tool\",\"tool_call_id\":");
	buf_json_str(&m->messages, call_id);
	buf_str(&m->messages, ",\"content\":");
	buf_json(&m->messages, text, len);
	buf_str(&m->messages, "},");
}

void memory_replace(struct memory *m, const char *summary, size_t len)
{
	struct buf text = {0};

	buf_reset(&m->messages);
	buf_str(&text, SUMMARY_HEAD);
	buf_append(&text, summary, len);
	memory_add_user(m, text.data, text.len, "", 0);
	buf_fini(&text);
}

/* Append a list of objects without the comma behind the last. */
static void memory_put_list(struct buf *out, const char *list, size_t len)
{
	buf_char(out, '[');
	buf_append(out, list, len ? len - 1 : 0);
	buf_char(out, ']');
}

void memory_put_messages(const struct memory *m, struct buf *out)
{
	memory_put_list(out, m->messages.data, m->messages.len);
}

/* ---- as one text ---- */

/* A message, or the result of a tool, is cut at this length. */
#define TRANSCRIPT_MESSAGE ((size_t)4 << 10)

static void put_cut(struct buf *out, const char *text, size_t len)
{
	buf_append(out, text, utf8_cut(text, len, TRANSCRIPT_MESSAGE));
	if (len > TRANSCRIPT_MESSAGE)
		buf_str(out, " [...]");
}

static void put_text_of(struct buf *out, const struct json *v)
{
	struct buf scratch = {0};
	size_t len;
	const char *text = json_str(v, &scratch, &len);

	if (text)
		put_cut(out, text, len);
	buf_fini(&scratch);
}

static void put_line(struct buf *out, const struct json *message)
{
	const struct json *content = json_get(message, "content");
	const struct json *calls = json_get(message, "tool_calls");

	buf_char(out, '\n');
	put_text_of(out, json_get(message, "role"));
	buf_str(out, ": ");
	put_text_of(out, content);
	if (json_is(content, JSON_ARRAY))
		for (const struct json *v = json_first(content); v;
		     v = json_next(v))
			put_text_of(out, json_get(v, "text"));
	if (!json_is(calls, JSON_ARRAY))
		return;
	for (const struct json *v = json_first(calls); v; v = json_next(v)) {
		const struct json *function = json_get(v, "function");
		buf_str(out, " [calls ");
		put_text_of(out, json_get(function, "name"));
		buf_char(out, ' ');
		put_text_of(out, json_get(function, "arguments"));
		buf_char(out, ']');
	}
}

void memory_put_transcript(
    const struct memory *m, struct buf *out, size_t max_bytes)
{
	struct json_doc doc = {0};
	struct json_error why;
	struct buf all = {0}, text = {0};

	memory_put_messages(m, &all);
	const struct json *list = json_parse(&doc, all.data, all.len, 0, &why);
	for (const struct json *v = json_first(list); v; v = json_next(v))
		put_line(&text, v);
	size_t skip = text.len > max_bytes ? text.len - max_bytes : 0;
	while (skip < text.len && (text.data[skip] & 0xc0) == 0x80)
		skip++;
	buf_append(out, text.data + skip, text.len - skip);
	json_fini(&doc);
	buf_fini(&all);
	buf_fini(&text);
}

/* An image counts by its price, not by its bytes. */
#define IMAGE_TOKENS 1500
#define TOKEN_BYTES 4

int64_t memory_tokens(const struct memory *m)
{
	static const char url[] = "\"url\":\"data:";
	const char *p = m->messages.data, *end = p + m->messages.len;
	int64_t bytes = (int64_t)m->messages.len, images = 0;

	while (p && (p = memmem(p, (size_t)(end - p), url, sizeof url - 1))) {
		p += sizeof url - 1;
		const char *stop = memchr(p, '"', (size_t)(end - p));
		if (!stop)
			break;
		bytes -= stop - p;
		images++;
		p = stop;
	}
	return bytes / TOKEN_BYTES + images * IMAGE_TOKENS;
}

/* ---- the trace ---- */

void memory_note(struct memory *m, const char *type, const char *id,
    size_t id_len, int64_t time_us, const char *body, size_t len)
{
	if (len > ENTRY_BYTES || m->trace.len > m->max_bytes / 4)
		return;
	buf_str(&m->trace, "{\"type\":");
	buf_json_str(&m->trace, type);
	buf_str(&m->trace, ",\"id\":");
	buf_json(&m->trace, id, id_len);
	buf_printf(&m->trace, ",\"ts\":%lld.%06lld",
	    (long long)(time_us / 1000000), (long long)(time_us % 1000000));
	if (len) {
		buf_char(&m->trace, ',');
		buf_append(&m->trace, body, len);
	}
	buf_str(&m->trace, "},");
}

/* ---- permissions ---- */

void memory_grant(struct memory *m, const char *what)
{
	if (memory_is_granted(m, what))
		return;
	buf_json_str(&m->grants, what);
	buf_str(&m->grants, ":{\"allowed\":true,\"source\":\"user\","
			    "\"reason\":\"approved for the session\","
			    "\"expires\":{\"type\":\"session_end\"}},");
}

/* Whether a list of members has this key. */
static bool has_key(const struct buf *members, const char *key)
{
	struct buf begin = {0};

	buf_json_str(&begin, key);
	buf_str(&begin, ":{\"allowed\""); /* no member of a grant itself */
	bool has_it = members->len && memmem(members->data, members->len,
					  begin.data, begin.len);
	buf_fini(&begin);
	return has_it;
}

bool memory_is_granted(const struct memory *m, const char *what)
{
	const struct json *rule =
	    json_get(json_get(m->given, "permissions"), what);
	bool is_allowed = false;

	return has_key(&m->grants, what) ||
	       (json_bool(json_get(rule, "allowed"), &is_allowed) &&
		   is_allowed);
}

/* ---- the conversation after the turn ---- */

static bool is_user(const struct json *message)
{
	return json_str_is(json_get(message, "role"), "user");
}

/* Old turns are forgotten, whole, until the rest has room. */
static void render_messages(const struct memory *m, struct buf *out)
{
	struct json_doc doc = {0};
	struct json_error why;
	struct buf all = {0}, kept = {0};

	memory_put_messages(m, &all);
	if (all.len <= m->max_bytes / 2) {
		buf_append(out, all.data, all.len);
		buf_fini(&all);
		return;
	}
	size_t left = all.len;
	bool is_kept = false;
	const struct json *list = json_parse(&doc, all.data, all.len, 0, &why);
	for (const struct json *v = json_first(list); v; v = json_next(v)) {
		size_t len;
		(void)json_text(v, &len);
		is_kept |= left <= m->max_bytes / 2 && is_user(v);
		if (is_kept)
			memory_put(&kept, v);
		left -= len;
	}
	memory_put_list(out, kept.data, kept.len);
	json_fini(&doc);
	buf_fini(&all);
	buf_fini(&kept);
}

static void render_trace(const struct memory *m, struct buf *out)
{
	const struct json *before = json_get(m->given, "trace");
	struct buf list = {0};
	size_t left = 0, room = m->max_bytes / 4;

	room -= m->trace.len < room ? m->trace.len : room;
	(void)json_text(before, &left);
	if (json_is(before, JSON_ARRAY))
		for (const struct json *v = json_first(before); v;
		     v = json_next(v)) {
			size_t len;
			(void)json_text(v, &len);
			if (left <= room)
				memory_put(&list, v);
			left -= len < left ? len : left;
		}
	buf_append(&list, m->trace.data, m->trace.len);
	memory_put_list(out, list.data, list.len);
	buf_fini(&list);
}

static void render_permissions(const struct memory *m, struct buf *out)
{
	const struct json *before = json_get(m->given, "permissions");

	if (!m->grants.len && !json_is(before, JSON_OBJECT))
		return;
	buf_str(out, ",\"permissions\":{");
	for (const struct json *v = json_first(before); v; v = json_next(v)) {
		size_t len;
		const char *key = json_text(json_key(v), &len);
		buf_append(out, key, len);
		buf_char(out, ':');
		memory_put(out, v);
	}
	buf_append(out, m->grants.data, m->grants.len);
	if (out->data[out->len - 1] == ',')
		out->len--;
	buf_char(out, '}');
}

void memory_render(const struct memory *m, struct buf *out)
{
	int64_t iteration = 0;

	json_put_without(out, m->given, own);
	out->len--; /* its brace */
	if (out->data[out->len - 1] != '{')
		buf_char(out, ',');
	buf_str(out, "\"messages\":");
	render_messages(m, out);
	buf_str(out, ",\"trace\":");
	render_trace(m, out);
	render_permissions(m, out);
	(void)json_int(json_get(m->given, "iteration"), &iteration);
	if (iteration < 0 || iteration >= INT32_MAX)
		iteration = 0;
	buf_printf(out, ",\"iteration\":%lld}", (long long)iteration + 1);
}
