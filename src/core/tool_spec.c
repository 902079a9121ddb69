/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "core/tool_spec.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/json_schema.h"
#include "base/mem.h"
#include "core/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WORDS 1000

static const char *const builtin_names[] = {"bash", "read_file", "write",
    "edit", "glob", "grep", "todo", "plan_review", "ask_user"};

bool tool_spec_is_builtin(const char *name)
{
	for (size_t i = 0; i < sizeof builtin_names / sizeof *builtin_names;
	     i++)
		if (strcmp(builtin_names[i], name) == 0)
			return true;
	return false;
}

/* ---- members of a command ---- */

/* A command being read, and what it is called in errors. */
struct reader {
	struct tool_command *c;
	const struct json *said;
	char label[80];
	struct err *err;
};

static int wrong(const struct reader *r, const char *what)
{
	return err_set(r->err, ERR_CONFIG, "%s: %s", r->label, what);
}

static bool is_name(const char *s, size_t n)
{
	return n > 0 && n <= TOOL_NAME_MAX && strspn(s, TOOL_NAME_CHARS) >= n;
}

size_t tool_spec_placeholder(const char *s)
{
	size_t n = *s == '{' ? strcspn(s + 1, "{}") : 0;

	return n && s[1 + n] == '}' && is_name(s + 1, n) ? n + 2 : 0;
}

static int read_name(struct reader *r)
{
	char *name = json_strdup(json_get(r->said, "name"));

	r->c->tool.name = name;
	if (!name || !is_name(name, strlen(name)))
		return wrong(r, "name must be 1 to 64 letters, digits, _ or -");
	(void)snprintf(r->label, sizeof r->label, "%s", name);
	if (tool_spec_is_builtin(name))
		return wrong(r, "a built-in tool has this name");
	return 0;
}

static int read_description(struct reader *r)
{
	char *text = json_strdup(json_get(r->said, "description"));

	r->c->tool.description = text;
	return text && *text
		   ? 0
		   : wrong(r, "description must say what the tool does");
}

static int read_argv(struct reader *r)
{
	const struct json *argv = json_get(r->said, "argv");
	size_t n = json_is(argv, JSON_ARRAY) ? json_count(argv) : 0;

	if (n == 0 || n > MAX_WORDS)
		return wrong(
		    r, "argv must be a list of the program and its arguments");
	r->c->argv = mem_zero((n + 1) * sizeof *r->c->argv);
	n = 0;
	for (const struct json *v = json_first(argv); v; v = json_next(v)) {
		r->c->argv[n] = json_strdup(v);
		if (!r->c->argv[n++])
			return wrong(r, "argv must hold strings");
	}
	return *r->c->argv[0] && !strchr(r->c->argv[0], '{')
		   ? 0
		   : wrong(r, "argv must begin with the name of a program");
}

static int read_schema(struct reader *r)
{
	const struct json *schema = json_get(r->said, "schema");
	struct buf why = {0};
	size_t len;

	if (!schema) {
		r->c->tool.schema =
		    mem_strdup("{\"type\":\"object\",\"properties\":{},"
			       "\"additionalProperties\":false}");
		return 0;
	}
	const char *text = json_text(schema, &len);
	r->c->tool.schema = mem_strndup(text, len);
	bool is_valid = json_schema_is_valid(schema, &why);
	if (!is_valid)
		(void)err_set(r->err, ERR_CONFIG, "%s: schema: %.300s",
		    r->label, buf_cstr(&why));
	buf_fini(&why);
	return is_valid ? 0 : -1;
}

static int check_placeholder(struct reader *r, const char *text, size_t len)
{
	const struct json *properties =
	    json_get(json_get(r->said, "schema"), "properties");
	char *name = mem_strndup(text + 1, len - 2);
	int rc = json_get(properties, name)
		     ? 0
		     : err_set(r->err, ERR_CONFIG,
			   "%s: argv has {%.60s}, but schema has no such "
			   "property",
			   r->label, name);

	free(name);
	return rc;
}

/* A placeholder without an argument would always be empty. */
static int check_placeholders(struct reader *r)
{
	for (char **word = r->c->argv; *word; word++)
		for (const char *s = *word; *s; s++) {
			size_t len = tool_spec_placeholder(s);
			if (len && check_placeholder(r, s, len) != 0)
				return -1;
		}
	return 0;
}

static int read_timeout(struct reader *r)
{
	const struct json *timeout = json_get(r->said, "timeout");
	int64_t s = TOOL_SPEC_TIMEOUT_S;

	if (timeout &&
	    (!json_int(timeout, &s) || s < 1 || s > TOOL_SPEC_TIMEOUT_MAX_S))
		return wrong(r, "timeout must be 1 to 86400 seconds");
	r->c->timeout_ms = s * 1000;
	return 0;
}

static int read_dir(struct reader *r)
{
	const struct json *dir = json_get(r->said, "dir");

	r->c->dir = dir ? json_strdup(dir) : mem_strdup("");
	return r->c->dir && *r->c->dir != '/'
		   ? 0
		   : wrong(r, "dir must be a path relative to the project");
}

static int read_flag(struct reader *r, const char *name, unsigned flag)
{
	const struct json *v = json_get(r->said, name);
	bool is_set = false;

	if (v && !json_bool(v, &is_set))
		return err_set(r->err, ERR_CONFIG,
		    "%s: %s must be true or false", r->label, name);
	if (is_set)
		r->c->tool.flags |= flag;
	return 0;
}

static int check_members(struct reader *r)
{
	static const char *const known[] = {"name", "description", "argv",
	    "schema", "timeout", "dir", "idempotent", "read_only"};

	for (const struct json *v = json_first(r->said); v; v = json_next(v)) {
		bool is_known = false;
		for (size_t i = 0; i < sizeof known / sizeof *known; i++)
			is_known =
			    is_known || json_str_is(json_key(v), known[i]);
		if (!is_known)
			return wrong(r,
			    "may only have name, description, argv, schema, "
			    "timeout, dir, idempotent and read_only");
	}
	return 0;
}

static int read_command(struct reader *r)
{
	if (read_name(r) != 0 || check_members(r) != 0 ||
	    read_description(r) != 0 || read_argv(r) != 0 ||
	    read_schema(r) != 0 || check_placeholders(r) != 0 ||
	    read_timeout(r) != 0 || read_dir(r) != 0)
		return -1;
	return read_flag(r, "idempotent", TOOL_IDEMPOTENT) != 0
		   ? -1
		   : read_flag(r, "read_only", TOOL_READ_ONLY);
}

/* ---- the list ---- */

static int add_builtin(
    struct tool_spec *s, const struct json *name, struct err *err)
{
	char *text = json_strdup(name);

	s->builtins[s->n_builtins++] = text;
	if (text && tool_spec_is_builtin(text))
		return 0;
	return err_set(err, ERR_CONFIG,
	    "\"%.60s\" is no built-in tool: these are bash, read_file, write, "
	    "edit, glob, grep, todo, plan_review and ask_user; a command needs "
	    "a mapping",
	    text ? text : "");
}

static bool is_taken(const struct tool_spec *s, const char *name)
{
	for (size_t i = 0; i + 1 < s->n_commands; i++)
		if (strcmp(s->commands[i].tool.name, name) == 0)
			return true;
	return false;
}

static int add_command(struct tool_spec *s, const struct json *said,
    size_t number, struct err *err)
{
	struct reader r = {
	    .c = &s->commands[s->n_commands++], .said = said, .err = err};

	(void)snprintf(r.label, sizeof r.label, "tool %zu", number);
	if (read_command(&r) != 0)
		return -1;
	return is_taken(s, r.c->tool.name)
		   ? wrong(&r, "another tool has this name")
		   : 0;
}

static int read_list(
    struct tool_spec *s, const struct json *list, struct err *err)
{
	size_t number = 0;

	if (!json_is(list, JSON_ARRAY))
		return err_set(err, ERR_CONFIG, "must be a list");
	if (json_count(list) > TOOL_SPEC_MAX)
		return err_set(
		    err, ERR_CONFIG, "has more than %d tools", TOOL_SPEC_MAX);
	s->commands = mem_zero((json_count(list) + 1) * sizeof *s->commands);
	for (const struct json *v = json_first(list); v; v = json_next(v)) {
		int rc = err_set(err, ERR_CONFIG,
		    "tool %zu must be a name or a mapping", ++number);
		if (json_is(v, JSON_STRING))
			rc = add_builtin(s, v, err);
		else if (json_is(v, JSON_OBJECT))
			rc = add_command(s, v, number, err);
		if (rc != 0)
			return -1;
	}
	return 0;
}

int tool_spec_read(struct tool_spec *s, const char *text, struct err *err)
{
	struct json_doc doc = {0};
	struct json_error why;

	s->has_all_builtins = *text == '\0';
	if (s->has_all_builtins)
		return 0;
	int rc =
	    read_list(s, json_parse(&doc, text, strlen(text), 0, &why), err);
	json_fini(&doc);
	if (rc != 0)
		tool_spec_fini(s);
	return rc;
}

bool tool_spec_offers(const struct tool_spec *s, const char *name)
{
	if (s->has_all_builtins)
		return true;
	for (size_t i = 0; i < s->n_builtins; i++)
		if (strcmp(s->builtins[i], name) == 0)
			return true;
	return false;
}

const char **tool_spec_names(const struct tool_spec *s)
{
	size_t n = 0, most = sizeof builtin_names / sizeof *builtin_names;
	const char **names =
	    mem_zero((most + s->n_commands + 1) * sizeof *names);

	for (size_t i = 0; i < most; i++)
		if (tool_spec_offers(s, builtin_names[i]))
			names[n++] = builtin_names[i];
	for (size_t i = 0; i < s->n_commands; i++)
		names[n++] = s->commands[i].tool.name;
	return names;
}

/* What was read is ours, though others see it as constant. */
static void free_text(const char *text)
{
	free((void *)(uintptr_t)text);
}

static void free_command(struct tool_command *c)
{
	free_text(c->tool.name);
	free_text(c->tool.description);
	free_text(c->tool.schema);
	for (char **word = c->argv; word && *word; word++)
		free(*word);
	free(c->argv);
	free(c->dir);
}

void tool_spec_fini(struct tool_spec *s)
{
	for (size_t i = 0; i < s->n_builtins; i++)
		free(s->builtins[i]);
	for (size_t i = 0; i < s->n_commands; i++)
		free_command(&s->commands[i]);
	free(s->commands);
	*s = (struct tool_spec){0};
}
