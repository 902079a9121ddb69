/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "openhands/oh_tool.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/*
 * A kind of action. 'subject' is what it is about: the member of its args, and
 * the names that agents' tools use for it.
 */
struct oh_kind {
	const char *action;
	const char *observation;
	const char *subject;
	const char *doing;   /* before the subject, for people */
	const char *done[2]; /* around the subject */
	const char *more;    /* further args, as JSON members */
	const char *tools;   /* names, each between spaces */
	const char *aliases; /* of the subject, each between spaces */
};

enum { RUN, WRITE, EDIT, READ, PYTHON, BROWSE, MCP, KINDS };

static const struct oh_kind kinds[KINDS] = {
    [RUN] = {"run", "run", "command",
	"Running command: ", {"Command `", "` executed with exit code "},
	",\"is_input\":false,\"thought\":\"\",\"blocking\":false,"
	"\"is_static\":false,\"cwd\":null,\"hidden\":false",
	" bash shell run run_in_dir run_command terminal execute sh ",
	" command cmd "},
    [WRITE] = {"write", "write", "path",
	"Writing file: ", {"I wrote to the file ", "."},
	",\"start\":0,\"end\":-1,\"thought\":\"\"",
	" write write_file create_file create ", " path file_path file "},
    [EDIT] = {"edit", "edit", "path",
	"Editing file: ", {"I edited the file ", "."}, ",\"thought\":\"\"",
	" edit edit_file str_replace multi_edit ", " path file_path file "},
    [READ] = {"read", "read", "path",
	"Reading file: ", {"I read the file ", "."},
	",\"start\":0,\"end\":-1,\"thought\":\"\",\"view_range\":null",
	" read read_file ", " path file_path file "},
    [PYTHON] = {"run_ipython", "run_ipython", "code",
	"Running code in IPython: ", {"Code executed in IPython cell.", ""},
	",\"thought\":\"\",\"include_extra\":true,\"kernel_init_code\":\"\"",
	" python ipython run_python run_ipython ", " code source "},
    [BROWSE] = {"browse", "browse", "url", "Browsing ", {"Visited ", ""},
	",\"thought\":\"\"", " browse open_url fetch goto ", " url "},
    [MCP] = {"call_tool_mcp", "mcp", "name", "", {"", ""}, ",\"thought\":\"\"",
	"", ""},
};

/* Whether the word is one of a list, each between spaces. */
static bool is_listed(const char *list, const char *word)
{
	size_t len = strlen(word);
	if (!len || strchr(word, ' '))
		return false;
	for (const char *at = list; (at = strstr(at, word)); at++)
		if (at > list && at[-1] == ' ' && at[len] == ' ')
			return true;
	return false;
}

static const struct oh_kind *kind_of(const char *name)
{
	for (int i = 0; i < MCP; i++)
		if (is_listed(kinds[i].tools, name))
			return &kinds[i];
	return &kinds[MCP];
}

bool oh_tool_is_shell(const char *name)
{
	return kind_of(name) == &kinds[RUN];
}

static const struct json *find_subject(
    const struct oh_kind *kind, const struct json *args)
{
	for (const struct json *v = json_first(args); v; v = json_next(v)) {
		char *key = json_strdup(json_key(v));
		bool is_it = key && is_listed(kind->aliases, key);
		free(key);
		if (is_it)
			return v;
	}
	return NULL;
}

void oh_tool_init(
    struct oh_tool *tool, const struct json *name, const struct json *args)
{
	char *text = json_strdup(name);
	tool->kind = kind_of(text ? text : "");
	tool->name = name;
	tool->args = json_is(args, JSON_OBJECT) ? args : NULL;
	tool->subject = json_strdup(find_subject(tool->kind, tool->args));
	/* A tool of the right name that takes something else is no such tool. */
	if (!tool->subject)
		tool->kind = &kinds[MCP];
	if (tool->kind == &kinds[MCP]) {
		free(tool->subject);
		tool->subject = text ? text : mem_strdup("");
		return;
	}
	free(text);
}

void oh_tool_fini(struct oh_tool *tool)
{
	free(tool->subject);
	tool->subject = NULL;
}

static void put_args_text(struct buf *out, const struct oh_tool *tool)
{
	size_t len = 2;
	const char *args = tool->args ? json_text(tool->args, &len) : "{}";
	buf_append(out, args, len);
}

static void put_json(struct buf *out, struct buf *text)
{
	buf_json(out, text->data ? text->data : "", text->len);
	buf_fini(text);
}

void oh_tool_put_message(struct buf *out, const struct oh_tool *tool)
{
	struct buf text = {0};
	if (tool->kind == &kinds[MCP]) {
		buf_printf(&text,
		    "I am interacting with the MCP server with name:\n"
		    "```\n%s\n```\nand arguments:\n```\n",
		    tool->subject);
		put_args_text(&text, tool);
		buf_str(&text, "\n```");
	} else {
		buf_str(&text, tool->kind->doing);
		buf_str(&text, tool->subject);
	}
	put_json(out, &text);
}

static void put_member(struct buf *out, const char *key, const struct json *v)
{
	size_t len = 0;
	const char *text = json_text(v, &len);
	buf_printf(out, ",\"%s\":", key);
	buf_append(out, v ? text : "\"\"", v ? len : 2);
}

void oh_tool_put_action(
    struct buf *out, const struct oh_tool *tool, bool is_confirmed)
{
	const struct oh_kind *kind = tool->kind;
	buf_printf(out, "\"action\":\"%s\",\"args\":{\"%s\":", kind->action,
	    kind->subject);
	buf_json_str(out, tool->subject);
	if (kind == &kinds[WRITE])
		put_member(out, "content", json_get(tool->args, "content"));
	if (kind == &kinds[MCP]) {
		buf_str(out, ",\"arguments\":");
		put_args_text(out, tool);
	}
	buf_str(out, kind->more);
	buf_printf(out, ",\"confirmation_state\":\"%s\",\"security_risk\":%s}",
	    is_confirmed ? "confirmed" : "awaiting_confirmation",
	    is_confirmed ? "-1" : "2");
}

static void add_content(struct buf *text, const struct json *content)
{
	struct buf scratch = {0};
	size_t len = 0;
	const char *s = json_str(content, &scratch, &len);
	if (!s)
		s = json_text(content, &len);
	if (content)
		buf_append(text, s, len);
	buf_fini(&scratch);
}

/* Commands tell of a failure by their exit code, other tools as an error. */
static bool is_plain_error(const struct oh_tool *tool, bool is_error)
{
	return is_error && tool->kind != &kinds[RUN];
}

void oh_tool_put_outcome(struct buf *out, const struct oh_tool *tool,
    bool is_error, const struct json *content)
{
	struct buf text = {0};
	const struct oh_kind *kind = tool->kind;
	if (kind == &kinds[MCP] || is_plain_error(tool, is_error)) {
		add_content(&text, content);
	} else {
		buf_str(&text, kind->done[0]);
		buf_str(&text, kind == &kinds[PYTHON] ? "" : tool->subject);
		buf_str(&text, kind->done[1]);
		if (kind == &kinds[RUN])
			buf_str(&text, is_error ? "1." : "0.");
	}
	put_json(out, &text);
}

static void put_extras(
    struct buf *out, const struct oh_tool *tool, bool is_error)
{
	const struct oh_kind *kind = tool->kind;
	if (is_plain_error(tool, is_error)) {
		buf_str(out, "{\"error_id\":\"\"}");
		return;
	}
	buf_printf(out, "{\"%s\":", kind->subject);
	buf_json_str(out, tool->subject);
	if (kind == &kinds[MCP]) {
		buf_str(out, ",\"arguments\":");
		put_args_text(out, tool);
	}
	if (kind == &kinds[RUN])
		buf_printf(out,
		    ",\"metadata\":{\"exit_code\":%d,\"pid\":-1},"
		    "\"hidden\":false",
		    is_error ? 1 : 0);
	buf_char(out, '}');
}

void oh_tool_put_observation(struct buf *out, const struct oh_tool *tool,
    bool is_error, const struct json *content)
{
	struct buf text = {0};
	const struct oh_kind *kind = tool->kind;
	add_content(&text, content);
	buf_printf(out, "\"observation\":\"%s\",\"content\":",
	    is_plain_error(tool, is_error) ? "error" : kind->observation);
	put_json(out, &text);
	buf_str(out, ",\"extras\":");
	put_extras(out, tool, is_error);
	if (kind == &kinds[RUN] || (kind == &kinds[PYTHON] && !is_error))
		buf_printf(out, ",\"success\":%s", is_error ? "false" : "true");
}
