/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "mcp/mcp_content.h"

#include "base/buf.h"
#include "base/enc.h"
#include "base/json.h"
#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Append a text of the server; returns whether there was one. */
static bool put_text(struct buf *out, const struct json *v)
{
	struct buf scratch = {0};
	size_t len;
	const char *text = json_str(v, &scratch, &len);

	buf_append(out, text, text ? len : 0);
	buf_fini(&scratch);
	return text != NULL;
}

/* Append ' (VALUE)' if there is a text. */
static void put_aside(struct buf *out, const struct json *v)
{
	if (!json_is(v, JSON_STRING))
		return;
	buf_str(out, " (");
	(void)put_text(out, v);
	buf_char(out, ')');
}

/* A model gets text only: say what there was. */
static void put_binary(struct buf *out, const char *what,
    const struct json *type, const struct json *data)
{
	struct buf scratch = {0};
	size_t len = 0;
	const char *bytes = json_str(data, &scratch, &len);

	buf_printf(out, "[%s", what);
	put_aside(out, type);
	buf_printf(out, " of %zu bytes, not shown]",
	    bytes ? enc_base64_size(bytes, len) : 0);
	buf_fini(&scratch);
}

static void put_link(struct buf *out, const struct json *link)
{
	buf_str(out, "[resource ");
	(void)put_text(out, json_get(link, "uri"));
	put_aside(out, json_get(link, "name"));
	buf_char(out, ']');
	if (json_is(json_get(link, "description"), JSON_STRING)) {
		buf_char(out, ' ');
		(void)put_text(out, json_get(link, "description"));
	}
}

static void put_resource(struct buf *out, const struct json *resource)
{
	buf_str(out, "[resource ");
	(void)put_text(out, json_get(resource, "uri"));
	put_aside(out, json_get(resource, "mimeType"));
	buf_str(out, "]\n");
	if (!put_text(out, json_get(resource, "text")))
		put_binary(
		    out, "binary data", NULL, json_get(resource, "blob"));
}

static void put_item(struct buf *out, const struct json *item)
{
	const struct json *type = json_get(item, "type");

	if (json_str_is(type, "text"))
		(void)put_text(out, json_get(item, "text"));
	else if (json_str_is(type, "image"))
		put_binary(out, "image", json_get(item, "mimeType"),
		    json_get(item, "data"));
	else if (json_str_is(type, "audio"))
		put_binary(out, "audio", json_get(item, "mimeType"),
		    json_get(item, "data"));
	else if (json_str_is(type, "resource_link"))
		put_link(out, item);
	else if (json_str_is(type, "resource"))
		put_resource(out, json_get(item, "resource"));
	else
		buf_str(out, "[content of an unknown type]");
}

/* Servers repeat what is structured as a text; those that do not need this. */
static bool has_text(const struct json *content)
{
	for (const struct json *i = json_first(content); i; i = json_next(i))
		if (json_str_is(json_get(i, "type"), "text"))
			return true;
	return false;
}

/*
 * Some servers repeat a picture, or a list of them, with all its data as
 * structured content.
 */
static bool is_repeated(
    const struct json *structured, const struct json *content)
{
	const struct json *list = json_get(structured, "result");
	const struct json *one =
	    json_is(list, JSON_ARRAY) ? json_first(list) : structured;
	char *type = json_strdup(json_get(one, "type"));
	bool is = false;

	for (const struct json *i = json_first(content); i && type;
	     i = json_next(i))
		is |= json_str_is(json_get(i, "type"), type);
	free(type);
	return is;
}

bool mcp_content_cut(struct buf *out, size_t from, size_t max)
{
	char note[80];
	size_t len = out->len - from;

	if (len <= max)
		return false;
	int n = snprintf(note, sizeof note, "\n[cut: %zu bytes in all]", len);
	out->len = from + utf8_cut(out->data + from, len, max - (size_t)n);
	buf_append(out, note, (size_t)n);
	return true;
}

bool mcp_content_put(struct buf *out, const struct json *result, size_t max)
{
	const struct json *content = json_get(result, "content");
	const struct json *structured = json_get(result, "structuredContent");
	size_t from = out->len;
	bool is_error = false;
	size_t len;

	if (!json_is(content, JSON_ARRAY))
		content = NULL;
	for (const struct json *i = json_first(content); i; i = json_next(i)) {
		if (out->len > from)
			buf_char(out, '\n');
		put_item(out, i);
	}
	if (structured && !has_text(content) &&
	    !is_repeated(structured, content)) {
		const char *text = json_text(structured, &len);
		if (out->len > from)
			buf_char(out, '\n');
		buf_json_line(out, text, len);
	}
	(void)mcp_content_cut(out, from, max);
	return !json_bool(json_get(result, "isError"), &is_error) || !is_error;
}
