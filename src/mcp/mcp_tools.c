/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "mcp/mcp_tools.h"

#include "base/buf.h"
#include "base/enc.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a tool without arguments is given. */
#define NO_ARGUMENTS "{\"type\":\"object\",\"properties\":{}}"

/* Room for "_" and a hash, or a number, at the end of a name. */
#define NAME_END 9

/* ---- names ---- */

static bool is_there(const struct mcp_tools *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->all[i].tool.name, name) == 0)
			return true;
	return false;
}

/*
 * The hash depends on the whole name, so that a tool has the same name in all
 * workers, whatever other tools there are.
 */
static void shorten(struct buf *name)
{
	unsigned hash = enc_crc32c(0, name->data, name->len);

	name->len = TOOL_NAME_MAX - NAME_END;
	buf_printf(name, "_%08x", hash);
}

static char *name_of(const struct mcp_tools *t, const char *remote)
{
	struct buf name = {0};
	unsigned number = 1;

	buf_printf(&name, "%s_%s", t->server, remote);
	if (name.len > TOOL_NAME_MAX)
		shorten(&name);
	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = (unsigned char)name.data[i];
		if (c >= 0x80 || !(isalnum(c) || c == '_' || c == '-'))
			name.data[i] = '_';
	}
	size_t len = name.len;
	while (is_there(t, buf_cstr(&name))) {
		name.len = len < TOOL_NAME_MAX - NAME_END
			       ? len
			       : TOOL_NAME_MAX - NAME_END;
		buf_printf(&name, "_%u", ++number);
	}
	return buf_steal(&name, NULL);
}

/* ---- a tool ---- */

static char *describe(const struct json *v)
{
	static const char cut[] = " [cut]";
	struct buf text = {0};
	struct buf scratch = {0};
	size_t len = 0;
	const char *s = json_str(json_get(v, "description"), &scratch, &len);

	if (!s)
		s = json_str(json_get(v, "title"), &scratch, &len);
	size_t n = s ? utf8_cut(s, len, MCP_TOOLS_DESCRIPTION_BYTES) : 0;
	for (size_t i = 0; i < n; i++)
		if (s[i]) /* it becomes a C string */
			buf_char(&text, s[i]);
	if (n < len)
		buf_str(&text, cut);
	buf_fini(&scratch);
	(void)buf_cstr(&text);
	return buf_steal(&text, NULL);
}

static unsigned flags_of(const struct mcp_tools *t, const struct json *v)
{
	const struct json *hints = json_get(v, "annotations");
	bool is_read_only = false, is_idempotent = false;

	if (!t->is_trusted)
		return 0;
	(void)json_bool(json_get(hints, "readOnlyHint"), &is_read_only);
	(void)json_bool(json_get(hints, "idempotentHint"), &is_idempotent);
	return (is_read_only ? TOOL_READ_ONLY : 0) |
	       (is_read_only || is_idempotent ? TOOL_IDEMPOTENT : 0);
}

/* Returns why the schema cannot be used, or NULL. */
static const char *check_schema(
    const struct mcp_tools *t, const struct json *schema, size_t *len)
{
	if (json_type(schema) == JSON_NULL)
		return NULL;
	if (!json_is(schema, JSON_OBJECT) ||
	    !json_str_is(json_get(schema, "type"), "object"))
		return "the schema of its arguments is not that of an object";
	(void)json_text(schema, len);
	if (*len > MCP_TOOLS_SCHEMA_BYTES)
		return "the schema of its arguments is too long";
	if (t->n_bytes + *len > MCP_TOOLS_BYTES)
		return "the schemas of all tools together are too long";
	return NULL;
}

static char *schema_text(const struct json *schema)
{
	struct buf text = {0};
	size_t len;

	if (json_type(schema) == JSON_NULL)
		return mem_strdup(NO_ARGUMENTS);
	const char *s = json_text(schema, &len);
	buf_json_line(&text, s, len);
	return buf_steal(&text, NULL);
}

static void free_tool(struct mcp_tool *tool)
{
	free((char *)(uintptr_t)tool->tool.name);
	free((char *)(uintptr_t)tool->tool.description);
	free((char *)(uintptr_t)tool->tool.schema);
	free(tool->remote);
	mcp_headers_fini(&tool->headers);
}

/* Returns why it was left out, or NULL. */
static const char *add(
    struct mcp_tools *t, const struct json *v, const char *remote)
{
	const struct json *schema = json_get(v, "inputSchema");
	struct mcp_headers headers = {0};
	size_t len = 0;

	if (t->n == MCP_TOOLS_MAX)
		return "the server has too many tools";
	const char *why = check_schema(t, schema, &len);
	if (!why && t->has_headers)
		why = mcp_headers_read(&headers, schema);
	if (why)
		return why;
	t->all = mem_realloc(t->all, (t->n + 1) * sizeof *t->all);
	struct mcp_tool *tool = &t->all[t->n];
	*tool = (struct mcp_tool){
	    .tool = {.name = name_of(t, remote),
		.description = describe(v),
		.schema = schema_text(schema),
		.flags = flags_of(t, v)},
	    .remote = mem_strdup(remote),
	    .headers = headers,
	};
	t->n++;
	t->n_bytes += len;
	return NULL;
}

static void take(struct mcp_tools *t, const struct json *v)
{
	char *remote = json_strdup(json_get(v, "name"));
	const char *why =
	    remote && *remote ? add(t, v, remote) : "it has no name";

	if (why) {
		t->n_left_out++;
		(void)snprintf(t->why, sizeof t->why, "%.60s: %s",
		    remote ? remote : "", why);
	}
	free(remote);
}

bool mcp_tools_read(
    struct mcp_tools *t, const struct json *result, const struct json **cursor)
{
	const struct json *tools = json_get(result, "tools");

	*cursor = NULL;
	if (!json_is(tools, JSON_ARRAY))
		return false;
	for (const struct json *v = json_first(tools); v; v = json_next(v))
		take(t, v);
	if (json_is(json_get(result, "nextCursor"), JSON_STRING))
		*cursor = json_get(result, "nextCursor");
	return true;
}

void mcp_tools_fini(struct mcp_tools *t)
{
	for (size_t i = 0; i < t->n; i++)
		free_tool(&t->all[i]);
	free(t->all);
	t->all = NULL;
	t->n = t->n_left_out = t->n_bytes = 0;
	*t->why = '\0';
}
