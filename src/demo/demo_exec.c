/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "demo/demo_exec.h"

#include "base/buf.h"
#include "base/json.h"
#include "core/agent.h"
#include "demo/script.h"
#include "demo/talk.h"

#include <string.h>

/* The maximum number of arguments of a tool. */
#define ARGUMENTS 2

/*
 * A tool is something that the agent would use for a prompt, so a call is made
 * by building that prompt: before, first argument, between, second argument.
 */
static const struct tool {
	const char *name;
	const char *arguments[ARGUMENTS];
	const char *before;
	const char *between;
} tools[] = {
    {"calculate", {"expression", NULL}, "calculate ", ""},
    {"get_weather", {"city", NULL}, "what is the weather in ", ""},
    {"translate", {"text", "to"}, "translate ", " to "},
    {"step", {"i", NULL}, "", ""},
};

static const struct tool *demo_exec_find(const char *name)
{
	for (size_t i = 0; i < sizeof tools / sizeof *tools; i++)
		if (strcmp(tools[i].name, name) == 0)
			return &tools[i];
	return NULL;
}

static bool put_argument(struct buf *prompt, const struct json *args,
    const char *name, struct buf *out)
{
	struct buf scratch = {0};
	size_t len;
	const struct json *v = json_get(args, name);
	const char *text = v && !json_is(v, JSON_STRING)
			       ? json_text(v, &len)
			       : json_str(v, &scratch, &len);

	if (text)
		buf_append(prompt, text, len);
	else
		buf_printf(
		    out, "TypeError: the argument '%s' is missing", name);
	buf_fini(&scratch);
	return text != NULL;
}

static bool is_argument(const struct tool *tool, const struct json *key)
{
	for (size_t i = 0; i < ARGUMENTS && tool->arguments[i]; i++)
		if (json_str_is(key, tool->arguments[i]))
			return true;
	return false;
}

/*
 * Whether the tool takes all given arguments; otherwise out says which it does
 * not.
 */
static bool is_known(
    const struct tool *tool, const struct json *args, struct buf *out)
{
	for (const struct json *v = json_first(args); v; v = json_next(v)) {
		struct buf scratch = {0};
		size_t len;
		const char *name = json_str(json_key(v), &scratch, &len);
		bool is_one = is_argument(tool, json_key(v));
		if (!is_one)
			buf_printf(out, "tool '%s' has no argument '%.*s'",
			    tool->name, (int)len, name);
		buf_fini(&scratch);
		if (!is_one)
			return false;
	}
	return true;
}

static bool use(
    const struct tool *tool, const struct buf *prompt, struct buf *out)
{
	struct script s = {0};
	struct talk talk;
	const struct agent_input in = {
	    .session_id = "",
	    .prompt = prompt->data,
	    .prompt_len = prompt->len,
	};

	talk_init(&talk, "", 0, 0);
	script_read(&s, &in, &talk);
	bool is_good = s.kind == SCRIPT_TOOL && strcmp(s.tool, tool->name) == 0;
	if (is_good)
		buf_append(out, s.found.data, s.found.len);
	else
		buf_printf(
		    out, "ValueError: nothing that %s can do", tool->name);
	script_fini(&s);
	talk_fini(&talk);
	return is_good;
}

static bool call(
    const struct tool *tool, const struct json *args, struct buf *out)
{
	struct buf prompt = {0};
	bool is_good = true;

	buf_str(&prompt, tool->before);
	for (size_t i = 0; i < ARGUMENTS && tool->arguments[i] && is_good;
	     i++) {
		buf_str(&prompt, i ? tool->between : "");
		is_good = put_argument(&prompt, args, tool->arguments[i], out);
	}
	if (is_good && !*tool->before)
		buf_append(out, prompt.data, prompt.len);
	else if (is_good)
		is_good = use(tool, &prompt, out);
	buf_fini(&prompt);
	return is_good;
}

bool demo_exec_call(const struct agent_exec *x, struct buf *out)
{
	const struct tool *tool = demo_exec_find(x->tool);
	struct json_doc doc = {0};
	struct json_error why;
	bool is_good = false;

	if (!tool) {
		buf_printf(out,
		    "unknown tool '%s' (available: ['calculate', "
		    "'get_weather', 'translate', 'step'])",
		    x->tool);
		return false;
	}
	const struct json *args =
	    json_parse(&doc, x->args, x->args_len, 0, &why);
	if (args && json_is(args, JSON_OBJECT))
		is_good = is_known(tool, args, out) && call(tool, args, out);
	else
		buf_str(out, "TypeError: the arguments are no object");
	json_fini(&doc);
	return is_good;
}
