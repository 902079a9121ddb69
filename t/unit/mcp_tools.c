/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * The tools of MCP servers: their names, what is left out, and headers. Lists
 * of servers are in t/golden/mcp/; NAME.json is read as NAME.want says.
 */
#include "t/unit/tap.h"

#include "base/buf.h"
#include "base/json.h"
#include "mcp/mcp_tools.h"
#include "t/unit/golden.h"

#include <stdlib.h>

static struct json_doc doc;

static const struct json *parse(const char *text)
{
	struct json_error why;

	return json_parse(&doc, text, strlen(text), 0, &why);
}

static bool read_list(struct mcp_tools *t, const char *text)
{
	const struct json *cursor;

	return mcp_tools_read(t, parse(text), &cursor);
}

/* ---- lists of servers ---- */

static void describe(struct buf *out, const struct mcp_tools *t)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct tool *tool = &t->all[i].tool;
		buf_printf(out, "%s %s%s%s\n\t%s\n\t%s\n", tool->name,
		    t->all[i].remote,
		    tool->flags & TOOL_READ_ONLY ? " read-only" : "",
		    tool->flags & TOOL_IDEMPOTENT ? " idempotent" : "",
		    tool->description, tool->schema);
	}
	if (t->n_left_out)
		buf_printf(out, "%zu left out; %s\n", t->n_left_out, t->why);
}

static void test_golden(const char *name, bool is_trusted)
{
	struct mcp_tools t = {.server = "thing", .is_trusted = is_trusted};
	struct buf json = {0}, want = {0}, got = {0}, file = {0};

	buf_printf(&file, "mcp/%s.json", name);
	golden_read(&json, buf_cstr(&file));
	buf_reset(&file);
	buf_printf(&file, "mcp/%s%s.want", name, is_trusted ? "-trusted" : "");
	golden_read(&want, buf_cstr(&file));
	ok(read_list(&t, buf_cstr(&json)), "the list %s is read", name);
	describe(&got, &t);
	if (getenv("GOLDEN_WRITE"))
		ok(golden_write(&got, buf_cstr(&file)),
		    "the golden file %s is written", buf_cstr(&file));
	else
		is_str(buf_cstr(&got), buf_cstr(&want),
		    "the tools of the list %s%s", name,
		    is_trusted ? ", of a trusted server" : "");
	mcp_tools_fini(&t);
	buf_fini(&json);
	buf_fini(&want);
	buf_fini(&got);
	buf_fini(&file);
}

/* ---- names ---- */

#define X32 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static void test_names(void)
{
	struct mcp_tools t = {.server = "s"};

	ok(read_list(&t, "{\"tools\":[{\"name\":\"a.b/c\"},"
			 "{\"name\":\"a_b_c\"},{\"name\":\"a_b c\"},"
			 "{\"name\":\"" X32 X32 "1\"},"
			 "{\"name\":\"" X32 X32 "2\"},{\"name\":\"\"},"
			 "{\"name\":\"\xc3\xa4\"},{}]}"),
	    "a list with strange names is read");
	is_int((int)t.n, 6, "tools without a name are left out");
	is_int((int)t.n_left_out, 2, "tools that are left out are counted");
	is_str(t.all[0].tool.name, "s_a_b_c",
	    "what providers refuse in a name becomes an underscore");
	is_str(t.all[0].remote, "a.b/c", "the server is given its own name");
	is_str(t.all[1].tool.name, "s_a_b_c_2",
	    "a name that is taken ends "
	    "with a number");
	is_str(t.all[2].tool.name, "s_a_b_c_3",
	    "the third tool of a name ends with the next number");
	is_int((int)strlen(t.all[3].tool.name), TOOL_NAME_MAX,
	    "a long name is cut");
	ok(strcmp(t.all[3].tool.name, t.all[4].tool.name) != 0,
	    "long names that differ at their end differ");
	is_str(t.all[5].tool.name, "s___", "bytes beyond ASCII are replaced");
	mcp_tools_fini(&t);
}

/* ---- limits ---- */

static void test_limits(void)
{
	struct mcp_tools t = {.server = "s"};
	struct buf text = {0};
	const struct json *cursor;

	buf_str(&text, "{\"nextCursor\":\"\",\"tools\":[{\"name\":\"t\"}");
	for (int i = 0; i < MCP_TOOLS_MAX; i++)
		buf_printf(&text, ",{\"name\":\"t%d\"}", i);
	buf_str(&text, "]}");
	ok(mcp_tools_read(&t, parse(buf_cstr(&text)), &cursor),
	    "a long list is read");
	is_int((int)t.n, MCP_TOOLS_MAX, "a server has at most so many tools");
	is_int((int)t.n_left_out, 1, "tools beyond the maximum are counted");
	is_str(t.why, "t127: the server has too many tools",
	    "why the last one was left out is known");
	ok(cursor != NULL, "an empty cursor leads to another page");
	ok(mcp_tools_read(&t, parse("{\"tools\":[]}"), &cursor) && !cursor,
	    "a page without a cursor is the last");
	mcp_tools_fini(&t);
	buf_reset(&text);
	buf_str(&text, "{\"tools\":[{\"name\":\"t\",\"inputSchema\":"
		       "{\"type\":\"object\",\"description\":\"");
	for (size_t i = 0; i < MCP_TOOLS_SCHEMA_BYTES; i++)
		buf_char(&text, 'x');
	buf_str(&text, "\"}},{\"name\":\"u\",\"inputSchema\":{\"type\":"
		       "\"array\"}},{\"name\":\"v\",\"inputSchema\":7},"
		       "{\"name\":\"w\",\"inputSchema\":null,"
		       "\"title\":\"W\"}]}");
	ok(read_list(&t, buf_cstr(&text)), "a list of bad schemas is read");
	is_int((int)t.n, 1, "only the tool without a schema is left");
	is_str(t.all[0].tool.schema, "{\"type\":\"object\",\"properties\":{}}",
	    "a tool without a schema has no arguments");
	is_str(t.all[0].tool.description, "W",
	    "a title is there for a missing description");
	mcp_tools_fini(&t);
	ok(!read_list(&t, "{\"tools\":{}}"), "a result without a list is not "
					     "one");
	buf_fini(&text);
}

/* ---- headers ---- */

#define MARKED(name, type) \
	"{\"type\":\"" type "\",\"x-mcp-header\":\"" name "\"}"

static const struct {
	const char *title, *properties, *args, *want;
} headers[] = {
    {"a marked argument becomes a header", "\"r\":" MARKED("Region", "string"),
	"{\"r\":\"us-west1\"}", "Mcp-Param-Region: us-west1|"},
    {"an argument that is absent or null has no header",
	"\"r\":" MARKED("A", "string") ",\"s\":" MARKED("B", "string"),
	"{\"r\":null}", ""},
    {"numbers and truth values are headers",
	"\"r\":" MARKED("A", "integer") ",\"s\":" MARKED("B", "boolean"),
	"{\"r\":-7,\"s\":true}", "Mcp-Param-A: -7|Mcp-Param-B: true|"},
    {"a marked argument may be inside another",
	"\"o\":{\"type\":\"object\",\"properties\":{\"r\":" MARKED(
	    "A", "string") "}}",
	"{\"o\":{\"r\":\"x\"}}", "Mcp-Param-A: x|"},
    {"text beyond ASCII is in base64", "\"r\":" MARKED("A", "string"),
	"{\"r\":\"Hello, \xe4\xb8\x96\xe7\x95\x8c\"}",
	"Mcp-Param-A: =?base64?SGVsbG8sIOS4lueVjA==?=|"},
    {"text with a line end is in base64", "\"r\":" MARKED("A", "string"),
	"{\"r\":\"line1\\nline2\"}",
	"Mcp-Param-A: =?base64?bGluZTEKbGluZTI=?=|"},
    {"text with a space at its end is in base64",
	"\"r\":" MARKED("A", "string"), "{\"r\":\" padded \"}",
	"Mcp-Param-A: =?base64?IHBhZGRlZCA=?=|"},
    {"text that looks encoded is encoded", "\"r\":" MARKED("A", "string"),
	"{\"r\":\"=?base64?literal?=\"}",
	"Mcp-Param-A: =?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=|"},
    {"a property may have the name of the mark",
	"\"x-mcp-header\":{\"type\":\"string\"}", "{\"x-mcp-header\":\"x\"}",
	""},
    {"a mark at a number makes the tool unusable",
	"\"r\":" MARKED("A", "number"), NULL, NULL},
    {"a mark in a list makes the tool unusable",
	"\"r\":{\"type\":\"array\",\"items\":" MARKED("A", "string") "}", NULL,
	NULL},
    {"a mark with a line end makes the tool unusable",
	"\"r\":" MARKED("A\\r\\nX: y", "string"), NULL, NULL},
    {"an empty mark makes the tool unusable", "\"r\":" MARKED("", "string"),
	NULL, NULL},
    {"the same mark twice makes the tool unusable",
	"\"r\":" MARKED("A", "string") ",\"s\":" MARKED("a", "string"), NULL,
	NULL},
};

static void put_list(struct buf *out, const char *properties)
{
	buf_printf(out,
	    "{\"tools\":[{\"name\":\"t\",\"inputSchema\":{\"type\":\"object\","
	    "\"properties\":{%s}}}]}",
	    properties);
}

static void test_headers(void)
{
	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
		struct mcp_tools t = {.server = "s", .has_headers = true};
		struct buf list = {0}, got = {0};

		put_list(&list, headers[i].properties);
		(void)read_list(&t, buf_cstr(&list));
		if (headers[i].want) {
			(void)mcp_headers_put(
			    &got, &t.all[0].headers, parse(headers[i].args));
			for (size_t c = 0; c < got.len; c++)
				if (!got.data[c])
					got.data[c] = '|';
			is_str(buf_cstr(&got), headers[i].want, "%s",
			    headers[i].title);
		} else {
			is_int((int)t.n, 0, "%s", headers[i].title);
		}
		mcp_tools_fini(&t);
		t.has_headers = false;
		(void)read_list(&t, buf_cstr(&list));
		is_int((int)t.n, 1, "%s, but only by HTTP", headers[i].title);
		mcp_tools_fini(&t);
		buf_fini(&list);
		buf_fini(&got);
	}
}

int main(void)
{
	test_golden("tools-python", false);
	test_golden("tools-python", true);
	test_golden("tools-typescript", false);
	test_names();
	test_limits();
	test_headers();
	json_fini(&doc);
	return done();
}
