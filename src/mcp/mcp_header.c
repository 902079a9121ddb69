/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "mcp/mcp_header.h"

#include "base/buf.h"
#include "base/enc.h"
#include "base/json.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MARK "x-mcp-header"

/* How it is marked that a value is in base64. */
#define CODED_BEGIN "=?base64?"
#define CODED_END "?="

/* The keys on the way from the root of a schema to a property. */
struct way {
	const struct way *up;
	const struct json *key;
	size_t n;
};

/* ---- the schema ---- */

/*
 * Count the marks anywhere. In the object of "properties", a key is the name of
 * a property and no mark.
 */
static size_t count_marks(const struct json *node, bool is_properties)
{
	size_t n = 0;

	for (const struct json *v = json_first(node); v; v = json_next(v)) {
		const struct json *key = json_key(v);
		bool is_word = key && !is_properties;
		n += is_word && json_str_is(key, MARK);
		n += count_marks(v, is_word && json_str_is(key, "properties"));
	}
	return n;
}

/* A token of RFC 9110 section 5.6.2. */
static bool is_token(const char *s)
{
	return *s && strspn(s, "!#$%&'*+-.^_`|~0123456789"
			       "abcdefghijklmnopqrstuvwxyz"
			       "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == strlen(s);
}

static bool is_taken(const struct mcp_headers *h, const char *name)
{
	for (size_t i = 0; i < h->n; i++)
		if (strcasecmp(h->all[i].name, name) == 0)
			return true;
	return false;
}

static bool has_type(const struct json *property)
{
	const struct json *type = json_get(property, "type");

	return json_str_is(type, "string") || json_str_is(type, "integer") ||
	       json_str_is(type, "boolean");
}

static char **path_of(const struct way *way)
{
	char **path = mem_zero((way->n + 1) * sizeof *path);

	/* A key with a NUL is at no argument that we could find. */
	for (; way->key; way = way->up) {
		char *key = json_strdup(way->key);
		path[way->n - 1] = key ? key : mem_strdup("");
	}
	return path;
}

static const char *add(
    struct mcp_headers *h, const struct json *property, const struct way *way)
{
	char *name = json_strdup(json_get(property, MARK));
	const char *why = NULL;

	if (!name || !is_token(name))
		why = "an x-mcp-header is not the name of a header";
	else if (is_taken(h, name))
		why = "an x-mcp-header is there twice";
	else if (!has_type(property))
		why = "an x-mcp-header is at neither a string, an integer "
		      "nor a boolean";
	else if (h->n == MCP_HEADERS_MAX)
		why = "it has too many x-mcp-headers";
	if (why) {
		free(name);
		return why;
	}
	h->all = mem_realloc(h->all, (h->n + 1) * sizeof *h->all);
	h->all[h->n++] =
	    (struct mcp_header){.name = name, .path = path_of(way)};
	return NULL;
}

/* Take the marks of properties, of their properties, and so on. */
static const char *find(
    struct mcp_headers *h, const struct json *schema, const struct way *up)
{
	const struct json *properties = json_get(schema, "properties");
	const char *why = NULL;

	if (!json_is(properties, JSON_OBJECT))
		return NULL;
	for (const struct json *p = json_first(properties); p && !why;
	     p = json_next(p)) {
		const struct way way = {up, json_key(p), up->n + 1};
		if (json_get(p, MARK))
			why = add(h, p, &way);
		if (!why)
			why = find(h, p, &way);
	}
	return why;
}

const char *mcp_headers_read(struct mcp_headers *h, const struct json *schema)
{
	const struct way root = {0};
	size_t n = count_marks(schema, false);
	const char *why = NULL;

	*h = (struct mcp_headers){0};
	if (n)
		why = find(h, schema, &root);
	if (!why && h->n != n)
		why = "an x-mcp-header is not at a property";
	if (why)
		mcp_headers_fini(h);
	return why;
}

void mcp_headers_fini(struct mcp_headers *h)
{
	for (size_t i = 0; i < h->n; i++) {
		for (char **key = h->all[i].path; *key; key++)
			free(*key);
		free(h->all[i].path);
		free(h->all[i].name);
	}
	free(h->all);
	*h = (struct mcp_headers){0};
}

/* ---- a request ---- */

static bool is_plain(const char *s, size_t len)
{
	size_t begin = strlen(CODED_BEGIN), end = strlen(CODED_END);

	if (len && (s[0] == ' ' || s[0] == '\t' || s[len - 1] == ' ' ||
		       s[len - 1] == '\t'))
		return false;
	if (len >= begin + end && memcmp(s, CODED_BEGIN, begin) == 0 &&
	    memcmp(s + len - end, CODED_END, end) == 0)
		return false;
	for (size_t i = 0; i < len; i++)
		if (s[i] != '\t' && (s[i] < ' ' || s[i] > '~'))
			return false;
	return true;
}

void mcp_header_put_value(struct buf *out, const char *text, size_t len)
{
	if (is_plain(text, len)) {
		buf_append(out, text, len);
		return;
	}
	buf_str(out, CODED_BEGIN);
	enc_base64(buf_reserve(out, ENC_BASE64_SIZE(len)), text, len);
	out->len += ENC_BASE64_SIZE(len);
	buf_str(out, CODED_END);
}

static const struct json *value_at(const struct json *v, char *const *path)
{
	for (; *path && v; path++)
		v = json_get(v, *path);
	return v;
}

size_t mcp_headers_put(
    struct buf *out, const struct mcp_headers *h, const struct json *args)
{
	size_t n = 0;

	for (size_t i = 0; i < h->n; i++) {
		const struct json *v = value_at(args, h->all[i].path);
		enum json_type type = json_type(v);
		struct buf scratch = {0};
		size_t len;
		if (type != JSON_STRING && type != JSON_NUMBER &&
		    type != JSON_BOOL)
			continue;
		const char *text = type == JSON_STRING
				       ? json_str(v, &scratch, &len)
				       : json_text(v, &len);
		buf_printf(out, "Mcp-Param-%s: ", h->all[i].name);
		mcp_header_put_value(out, text, len);
		buf_char(out, '\0');
		buf_fini(&scratch);
		n++;
	}
	return n;
}
