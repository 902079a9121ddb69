/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * The stream-json of Claude Code, with --permission-prompt-tool stdio. One
 * process serves many turns, each ended by a line of type "result". The order
 * of members varies.
 */
#include "base/json.h"
#include "base/mem.h"
#include "wrapper/dialect.h"
#include "wrapper/notes.h"

#include <stdlib.h>
#include <string.h>

struct claude {
	struct dialect dialect;
	struct notes notes;
	char *request;	 /* id of what was asked last; NULL: nothing open */
	char *tool;	 /* its name, exact JSON */
	char *input;	 /* of the tool, JSON */
	char *question;	 /* NULL: an approval */
	double cost;	 /* of the process so far */
	unsigned n_asks; /* control requests of ours */
};

static struct claude *claude_of(struct dialect *d)
{
	return (struct claude *)(void *)((char *)d -
					 offsetof(struct claude, dialect));
}

static void forget_question(struct claude *c)
{
	free(c->request);
	free(c->tool);
	free(c->input);
	free(c->question);
	c->request = c->tool = c->input = c->question = NULL;
}

/* ---- to the program ---- */

static void claude_start(struct dialect *d, const char *dir)
{
	(void)d;
	(void)dir; /* it has its working directory */
}

static void claude_prompt(struct dialect *d, const char *text, size_t len)
{
	buf_str(&d->out, "{\"type\":\"user\",\"message\":{\"role\":\"user\","
			 "\"content\":");
	buf_json(&d->out, text, len);
	buf_str(&d->out, "}}\n");
}

static void begin_response(struct claude *c)
{
	struct buf *out = &c->dialect.out;

	buf_str(out, "{\"type\":\"control_response\",\"response\":{"
		     "\"subtype\":\"success\",\"request_id\":");
	buf_json_str(out, c->request);
	buf_str(out, ",\"response\":");
}

static void end_response(struct claude *c)
{
	buf_str(&c->dialect.out, "}}\n");
	forget_question(c);
}

/* For the session: a rule that it forgets when it ends. */
static void allow(struct claude *c, const struct json *answer)
{
	struct buf *out = &c->dialect.out;

	begin_response(c);
	buf_printf(
	    out, "{\"behavior\":\"allow\",\"updatedInput\":%s", c->input);
	if (json_str_is(json_get(answer, "scope"), "session"))
		buf_printf(out,
		    ",\"updatedPermissions\":[{\"type\":\"addRules\","
		    "\"rules\":[{\"toolName\":%s}],\"behavior\":\"allow\","
		    "\"destination\":\"session\"}]",
		    c->tool);
	buf_char(out, '}');
	end_response(c);
}

static void deny(struct claude *c, const struct json *answer)
{
	struct buf *out = &c->dialect.out;
	struct buf message = {0};

	if (!notes_text(&message, json_get(answer, "feedback")) ||
	    !message.len) {
		buf_reset(&message);
		buf_str(&message, "The user refused this.");
	}
	begin_response(c);
	buf_str(out, "{\"behavior\":\"deny\",\"message\":");
	buf_json(out, message.data, message.len);
	if (json_str_is(json_get(answer, "mode"), "reject_hard"))
		buf_str(out, ",\"interrupt\":true");
	buf_char(out, '}');
	buf_fini(&message);
	end_response(c);
}

/* One text, or several with commas. */
static void put_answer(struct buf *out, const struct json *answer)
{
	struct buf text = {0};

	if (!notes_text(&text, answer))
		for (const struct json *v = json_first(answer); v;
		     v = json_next(v)) {
			buf_str(&text, text.len ? ", " : "");
			(void)notes_text(&text, v);
		}
	buf_json(out, text.len ? text.data : "", text.len);
	buf_fini(&text);
}

/* The input again, with the answer to its question. */
static void reply(struct claude *c, const struct json *answer)
{
	struct buf *out = &c->dialect.out;
	size_t n = strlen(c->input);

	begin_response(c);
	buf_str(out, "{\"behavior\":\"allow\",\"updatedInput\":");
	buf_append(out, c->input, n - 1); /* without its brace */
	buf_str(out, ",\"answers\":{");
	buf_json_str(out, c->question);
	buf_char(out, ':');
	put_answer(out, answer);
	buf_str(out, "}}}");
	end_response(c);
}

static void claude_answer(struct dialect *d, const struct json *line)
{
	struct claude *c = claude_of(d);
	const struct json *type = json_get(line, "type");
	bool is_approved = false;

	if (!c->request)
		return;
	if (c->question && json_str_is(type, "ASK_USER_RESPONSE")) {
		reply(c, json_get(line, "answer"));
	} else if (!c->question && json_str_is(type, "APPROVAL_RESPONSE")) {
		(void)json_bool(json_get(line, "approved"), &is_approved);
		if (is_approved)
			allow(c, line);
		else
			deny(c, line);
	}
}

static bool claude_interrupt(struct dialect *d)
{
	struct claude *c = claude_of(d);

	forget_question(c);
	buf_printf(&d->out,
	    "{\"type\":\"control_request\",\"request_id\":\"stop-%u\","
	    "\"request\":{\"subtype\":\"interrupt\"}}\n",
	    ++c->n_asks);
	return true;
}

/* ---- from the program ---- */

static void take_block(struct claude *c, const struct json *block)
{
	struct dialect *d = &c->dialect;
	const struct json *type = json_get(block, "type");
	struct buf id = {0}, name = {0}, text = {0};

	if (json_str_is(type, "text") &&
	    notes_text(&text, json_get(block, "text")))
		notes_say(&c->notes, d, "assistant", &text);
	else if (json_str_is(type, "thinking") &&
		 notes_text(&text, json_get(block, "thinking")))
		notes_say(&c->notes, d, "thinking", &text);
	else if (json_str_is(type, "tool_use"))
		notes_call(&c->notes, d, notes_span(&id, json_get(block, "id")),
		    notes_span(&name, json_get(block, "name")),
		    notes_json(json_get(block, "input")));
	buf_fini(&id);
	buf_fini(&name);
	buf_fini(&text);
}

/* A text, or blocks of which some have one. */
static void add_content(struct buf *out, const struct json *content)
{
	if (notes_text(out, content))
		return;
	for (const struct json *v = json_first(content); v; v = json_next(v))
		(void)notes_text(out, json_get(v, "text"));
}

static void take_result_block(struct claude *c, const struct json *block)
{
	struct buf id = {0}, text = {0};
	bool is_error = false;

	if (!json_str_is(json_get(block, "type"), "tool_result"))
		return;
	(void)json_bool(json_get(block, "is_error"), &is_error);
	add_content(&text, json_get(block, "content"));
	notes_result(&c->notes, &c->dialect,
	    notes_span(&id, json_get(block, "tool_use_id")), !is_error, &text);
	buf_fini(&id);
	buf_fini(&text);
}

static void take_message(struct claude *c, const struct json *line,
    void (*take)(struct claude *c, const struct json *block))
{
	const struct json *content =
	    json_get(json_get(line, "message"), "content");

	if (!json_is(content, JSON_ARRAY))
		return;
	for (const struct json *v = json_first(content); v; v = json_next(v))
		take(c, v);
}

/* The first of its questions; Claude Code asks one at a time, mostly. */
static void ask_user(struct claude *c, const struct json *input)
{
	const struct json *q = json_first(json_get(input, "questions"));
	bool is_multiple = false;

	(void)json_bool(json_get(q, "multiSelect"), &is_multiple);
	c->question = json_strdup(json_get(q, "question"));
	if (!c->question)
		c->question = mem_strdup("");
	notes_question(&c->notes, &c->dialect, json_get(q, "question"),
	    json_get(q, "options"), is_multiple);
}

static void refuse_request(struct claude *c, const struct json *line)
{
	struct buf *out = &c->dialect.out;
	struct span id = notes_json(json_get(line, "request_id"));

	buf_str(out, "{\"type\":\"control_response\",\"response\":{"
		     "\"subtype\":\"error\",\"request_id\":");
	buf_append(
	    out, id.text ? id.text : "null", id.text ? id.len : (size_t)4);
	buf_str(out, ",\"error\":\"not supported\"}}\n");
}

static void take_request(struct claude *c, const struct json *line)
{
	const struct json *r = json_get(line, "request");
	const struct json *tool = json_get(r, "tool_name");
	const struct json *input = json_get(r, "input");
	struct buf id = {0}, name = {0}, description = {0};

	if (!json_str_is(json_get(r, "subtype"), "can_use_tool") ||
	    !json_is(input, JSON_OBJECT)) {
		refuse_request(c, line);
		return;
	}
	forget_question(c);
	struct span json = notes_json(input);
	c->request = json_strdup(json_get(line, "request_id"));
	c->input = mem_strndup(json.text, json.len);
	struct span tool_json = notes_json(tool);
	c->tool = tool_json.text ? mem_strndup(tool_json.text, tool_json.len)
				 : mem_strdup("null");
	notes_call(&c->notes, &c->dialect,
	    notes_span(&id, json_get(r, "tool_use_id")),
	    notes_span(&name, tool), json);
	buf_reset(&name);
	if (json_str_is(tool, "AskUserQuestion") && json_count(input))
		ask_user(c, input);
	else
		notes_approval(&c->notes, &c->dialect, notes_span(&name, tool),
		    json, notes_span(&description, json_get(r, "description")));
	buf_fini(&id);
	buf_fini(&name);
	buf_fini(&description);
}

/* The cost is that of the process so far; the tokens are those of the turn. */
static void take_usage(struct claude *c, const struct json *line)
{
	const struct json *usage = json_get(line, "usage");
	double cost = c->cost;

	c->notes.has_usage =
	    json_int(json_get(usage, "input_tokens"), &c->notes.input_tokens) &&
	    json_int(json_get(usage, "output_tokens"), &c->notes.output_tokens);
	(void)json_double(json_get(line, "total_cost_usd"), &cost);
	c->notes.cost = cost - c->cost;
	c->cost = cost;
}

static void take_result(struct claude *c, const struct json *line)
{
	struct buf text = {0};
	bool is_error = false;

	forget_question(c);
	take_usage(c, line);
	(void)json_bool(json_get(line, "is_error"), &is_error);
	if (!notes_text(&text, json_get(line, "result")) && is_error)
		(void)notes_text(&text, json_get(line, "subtype"));
	notes_end(&c->notes, &c->dialect, !is_error, buf_cstr(&text));
	buf_fini(&text);
}

static void claude_take(struct dialect *d, const struct json *line)
{
	struct claude *c = claude_of(d);
	const struct json *type = json_get(line, "type");

	if (json_str_is(type, "assistant"))
		take_message(c, line, take_block);
	else if (json_str_is(type, "user"))
		take_message(c, line, take_result_block);
	else if (json_str_is(type, "control_request"))
		take_request(c, line);
	else if (json_str_is(type, "result"))
		take_result(c, line);
}

static void claude_free(struct dialect *d)
{
	struct claude *c = claude_of(d);

	forget_question(c);
	notes_fini(&c->notes);
	buf_fini(&d->out);
	free(c);
}

static const struct dialect_ops claude_ops = {
    .start = claude_start,
    .prompt = claude_prompt,
    .take = claude_take,
    .answer = claude_answer,
    .interrupt = claude_interrupt,
    .free = claude_free,
};

struct dialect *claude_new(void)
{
	struct claude *c = mem_zero(sizeof *c);

	c->dialect.ops = &claude_ops;
	return &c->dialect;
}
