/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "core/tool_spec.h"

#include "core/err.h"
#include "t/unit/tap.h"

#define COMMAND(more)                                                    \
	"[{\"name\":\"deploy\",\"description\":\"d\",\"argv\":[\"./d\"," \
	"\"{where}\"]" more "}]"
#define WHERE                                                         \
	",\"schema\":{\"type\":\"object\",\"properties\":{\"where\":" \
	"{\"type\":\"string\"}}}"

static const struct {
	const char *text;
	const char *why;
} refused[] = {
    {"{}", "must be a list"},
    {"[1]", "tool 1 must be a name or a mapping"},
    {"[\"bash\",\"bsh\"]",
	"\"bsh\" is no built-in tool: these are bash, read_file, write, edit, "
	"glob, grep, todo, plan_review and ask_user; a command needs a "
	"mapping"},
    {"[\"bash\",{}]", "tool 2: name must be 1 to 64 letters, digits, _ or -"},
    {"[{\"name\":\"a b\"}]",
	"tool 1: name must be 1 to 64 letters, digits, _ or -"},
    {"[{\"name\":\"grep\"}]", "grep: a built-in tool has this name"},
    {"[{\"name\":\"x\",\"command\":\"y\"}]",
	"x: may only have name, description, argv, schema, timeout, dir, "
	"idempotent and read_only"},
    {"[{\"name\":\"x\"}]", "x: description must say what the tool does"},
    {"[{\"name\":\"x\",\"description\":\"d\"}]",
	"x: argv must be a list of the program and its arguments"},
    {"[{\"name\":\"x\",\"description\":\"d\",\"argv\":\"ls\"}]",
	"x: argv must be a list of the program and its arguments"},
    {"[{\"name\":\"x\",\"description\":\"d\",\"argv\":[\"ls\",3]}]",
	"x: argv must hold strings"},
    {"[{\"name\":\"x\",\"description\":\"d\",\"argv\":[\"{a}\"]}]",
	"x: argv must begin with the name of a program"},
    {COMMAND(""), "deploy: argv has {where}, but schema has no such property"},
    {COMMAND(",\"schema\":{\"type\":\"array\"}"),
	"deploy: schema: the arguments must be of type \"object\""},
    {COMMAND(WHERE ",\"timeout\":0"),
	"deploy: timeout must be 1 to 86400 seconds"},
    {COMMAND(WHERE ",\"timeout\":\"5\""),
	"deploy: timeout must be 1 to 86400 seconds"},
    {COMMAND(WHERE ",\"dir\":\"/tmp\""),
	"deploy: dir must be a path relative to the project"},
    {COMMAND(WHERE ",\"read_only\":1"),
	"deploy: read_only must be true or false"},
    {"[{\"name\":\"x\",\"description\":\"d\",\"argv\":[\"a\"]},"
     "{\"name\":\"x\",\"description\":\"d\",\"argv\":[\"b\"]}]",
	"x: another tool has this name"},
};

static void test_read(void)
{
	struct tool_spec s = {0};
	struct err err = {0};

	is_int(
	    tool_spec_read(&s, "", &err), 0, "the setting tools may be absent");
	ok(s.has_all_builtins,
	    "all built-in tools are offered without the setting tools");
	tool_spec_fini(&s);

	is_int(tool_spec_read(&s,
		   "[\"grep\",\"todo\",{\"name\":\"deploy\",\"description\":"
		   "\"Deploy it\",\"argv\":[\"./deploy\",\"--to={where}\","
		   "\"{}\",\"{not a name}\",\"{\"],\"dir\":\"ops\",\"timeout\":"
		   "5,\"idempotent\":true,\"read_only\":false" WHERE "}]",
		   &err),
	    0, "the setting tools has names and commands (%s)", err.text);
	ok(!s.has_all_builtins && s.n_builtins == 2 &&
		strcmp(s.builtins[1], "todo") == 0 && !s.builtins[2],
	    "a list of tools offers only the built-in ones in it");
	is_int(s.n_commands, 1, "a mapping declares a command");
	const char **names = tool_spec_names(&s);
	ok(strcmp(names[0], "grep") == 0 && strcmp(names[1], "todo") == 0 &&
		strcmp(names[2], "deploy") == 0 && !names[3],
	    "a list of tools has the names of what is offered");
	free(names);
	const struct tool_command *c = &s.commands[0];
	is_str(c->tool.name, "deploy", "a command has its name");
	is_int(c->tool.flags, TOOL_IDEMPOTENT, "a command has its flags");
	is_str(c->argv[1], "--to={where}", "a command has its arguments");
	is_str(c->dir, "ops", "a command has its directory");
	is_int(c->timeout_ms, 5000, "a command has its time limit");
	tool_spec_fini(&s);

	(void)tool_spec_read(&s,
	    "[{\"name\":\"x\",\"description\":\"d\",\"argv\":[\"true\"]}]",
	    &err);
	is_str(s.commands[0].tool.schema,
	    "{\"type\":\"object\",\"properties\":{},\"additionalProperties\":"
	    "false}",
	    "a command without a schema takes no arguments");
	is_int(s.commands[0].timeout_ms, 120000,
	    "a command has a time limit if none is set");
	tool_spec_fini(&s);
}

int main(void)
{
	test_read();
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		struct tool_spec s = {0};
		struct err err = {0};

		ok(tool_spec_read(&s, refused[i].text, &err) != 0,
		    "the tools %s are refused", refused[i].text);
		is_str(err.text, refused[i].why,
		    "a refusal says what is wrong with %s", refused[i].text);
	}
	return done();
}
