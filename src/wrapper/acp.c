/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * The Agent Client Protocol over standard input and output, as Gemini CLI speaks
 * it with --acp: JSON-RPC 2.0. A prompt is a request, and its answer ends the
 * turn. Text comes in pieces, which are joined. Some agents name a tool first
 * when they ask for a permission, and say nothing of one that was refused.
 */
#include "base/json.h"
#include "base/mem.h"
#include "wrapper/dialect.h"
#include "wrapper/notes.h"
#include "wrapper/rpc.h"

#include <stdlib.h>

enum { INITIALIZE = 1, SESSION_NEW = 2, FIRST_PROMPT = 3 };

struct acp {
	struct dialect dialect;
	struct notes notes;
	char *dir;
	char *session; /* NULL: not ready */
	char *prompt;  /* waits for the session; NULL: none */
	char *request; /* of a permission, exact id; NULL: nothing was asked */
	char *tool;    /* whose permission */
	char *always;  /* the option that means so, exact JSON */
	char *allow;   /* the same */
	char *reject;
	struct buf said;    /* pieces */
	struct buf thought; /* the same */
	int64_t n_prompt;   /* of the last one */
	bool has_turn;
	bool is_stopping;
};

static struct acp *acp_of(struct dialect *d)
{
	return (
	    struct acp *)(void *)((char *)d - offsetof(struct acp, dialect));
}

static void forget(char **text)
{
	free(*text);
	*text = NULL;
}

static void forget_request(struct acp *a)
{
	forget(&a->request);
	forget(&a->tool);
	forget(&a->always);
	forget(&a->allow);
	forget(&a->reject);
}

/* Report the pieces that belong together. */
static void say_pieces(struct acp *a)
{
	notes_say(&a->notes, &a->dialect, "thinking", &a->thought);
	buf_reset(&a->thought);
	notes_say(&a->notes, &a->dialect, "assistant", &a->said);
	buf_reset(&a->said);
}

static void end(struct acp *a, bool is_success, const char *text)
{
	forget_request(a);
	a->is_stopping = false;
	if (!a->has_turn)
		return;
	a->has_turn = false;
	say_pieces(a);
	notes_end(&a->notes, &a->dialect, is_success, text);
}

/* ---- to the program ---- */

static void acp_start(struct dialect *d, const char *dir)
{
	struct acp *a = acp_of(d);

	a->dir = mem_strdup(dir);
	rpc_request(&d->out, true, INITIALIZE, "initialize");
	buf_str(&d->out, "{\"protocolVersion\":1,\"clientCapabilities\":{"
			 "\"fs\":{\"readTextFile\":false,"
			 "\"writeTextFile\":false}}}");
	rpc_end(&d->out);
}

static void start_session(struct acp *a)
{
	struct buf *out = &a->dialect.out;

	rpc_request(out, true, SESSION_NEW, "session/new");
	buf_str(out, "{\"cwd\":");
	buf_json_str(out, a->dir);
	buf_str(out, ",\"mcpServers\":[]}");
	rpc_end(out);
	a->n_prompt = SESSION_NEW;
}

static void cancel(struct acp *a)
{
	struct buf *out = &a->dialect.out;

	a->is_stopping = false;
	rpc_notify(out, true, "session/cancel");
	buf_str(out, "{\"sessionId\":");
	buf_json_str(out, a->session);
	buf_char(out, '}');
	rpc_end(out);
}

static void start_turn(struct acp *a)
{
	struct buf *out = &a->dialect.out;

	rpc_request(out, true, ++a->n_prompt, "session/prompt");
	buf_str(out, "{\"sessionId\":");
	buf_json_str(out, a->session);
	buf_str(out, ",\"prompt\":[{\"type\":\"text\",\"text\":");
	buf_json_str(out, a->prompt);
	buf_str(out, "}]}");
	rpc_end(out);
	forget(&a->prompt);
	if (a->is_stopping)
		cancel(a);
}

static void acp_prompt(struct dialect *d, const char *text, size_t len)
{
	struct acp *a = acp_of(d);

	a->prompt = mem_strndup(text, len);
	a->has_turn = true;
	if (a->session)
		start_turn(a);
}

/* Choose this option; without one, the permission is cancelled. */
static void choose(struct acp *a, const char *option)
{
	struct buf *out = &a->dialect.out;

	rpc_answer(out, true, span_cstr(a->request));
	if (option)
		buf_printf(out,
		    "{\"outcome\":{\"outcome\":\"selected\",\"optionId\":%s}}",
		    option);
	else
		buf_str(out, "{\"outcome\":{\"outcome\":\"cancelled\"}}");
	rpc_end(out);
}

static bool acp_interrupt(struct dialect *d)
{
	struct acp *a = acp_of(d);

	/* A permission that is open is to be answered so (ACP). */
	if (a->request)
		choose(a, NULL);
	forget_request(a);
	if (a->session && !a->prompt)
		cancel(a);
	else
		a->is_stopping = true;
	return true;
}

static void end_refused(struct acp *a)
{
	static const char words[] = "The user refused this.";
	struct buf text = {0};

	buf_str(&text, words);
	if (a->tool)
		notes_result(
		    &a->notes, &a->dialect, span_cstr(a->tool), false, &text);
	buf_fini(&text);
}

static void acp_answer(struct dialect *d, const struct json *line)
{
	struct acp *a = acp_of(d);
	bool is_approved = false;
	bool is_lasting = json_str_is(json_get(line, "scope"), "session");

	if (!a->request ||
	    !json_str_is(json_get(line, "type"), "APPROVAL_RESPONSE"))
		return;
	(void)json_bool(json_get(line, "approved"), &is_approved);
	choose(a, is_approved ? (is_lasting && a->always ? a->always : a->allow)
			      : a->reject);
	if (!is_approved)
		end_refused(a);
	forget_request(a);
}

/* ---- tools ---- */

/* A short name: its kind, or else its title. */
static void put_name(struct buf *out, const struct json *tool)
{
	if (!notes_text(out, json_get(tool, "kind")))
		(void)notes_text(out, json_get(tool, "title"));
}

/* Its input or, since some tell none, its title. */
static void put_args(struct buf *out, const struct json *tool)
{
	struct span input = notes_json(json_get(tool, "rawInput"));
	struct span title = notes_json(json_get(tool, "title"));

	if (input.text && *input.text == '{') {
		buf_append(out, input.text, input.len);
		return;
	}
	buf_str(out, "{\"title\":");
	buf_append(
	    out, title.text ? title.text : "\"\"", title.text ? title.len : 2);
	buf_char(out, '}');
}

/* A tool that was not known yet begins, whatever mentions it first. */
static void begin_tool(struct acp *a, const struct json *tool)
{
	struct buf id = {0}, name = {0}, args = {0};

	say_pieces(a);
	put_name(&name, tool);
	put_args(&args, tool);
	notes_call(&a->notes, &a->dialect,
	    notes_span(&id, json_get(tool, "toolCallId")),
	    (struct span){name.data, name.len},
	    (struct span){args.data, args.len});
	buf_fini(&id);
	buf_fini(&name);
	buf_fini(&args);
}

/* The texts of its content. */
static void add_content(struct buf *out, const struct json *tool)
{
	const struct json *content = json_get(tool, "content");

	for (const struct json *v = json_first(content); v; v = json_next(v)) {
		buf_str(out, out->len ? "\n" : "");
		if (!notes_text(out, json_get(json_get(v, "content"), "text")))
			(void)notes_text(out, json_get(v, "path"));
	}
}

static void take_tool(struct acp *a, const struct json *tool)
{
	const struct json *status = json_get(tool, "status");
	bool is_success = json_str_is(status, "completed");
	struct buf id = {0}, text = {0};

	begin_tool(a, tool);
	if (is_success || json_str_is(status, "failed")) {
		add_content(&text, tool);
		notes_result(&a->notes, &a->dialect,
		    notes_span(&id, json_get(tool, "toolCallId")), is_success,
		    &text);
	}
	buf_fini(&id);
	buf_fini(&text);
}

/* ---- from the program ---- */

/* Options are chosen by their kind; of two of a kind, the first. */
static void take_options(struct acp *a, const struct json *options)
{
	for (const struct json *o = json_first(options); o; o = json_next(o)) {
		const struct json *kind = json_get(o, "kind");
		struct span id = notes_json(json_get(o, "optionId"));
		char **at = json_str_is(kind, "allow_always")  ? &a->always
			    : json_str_is(kind, "allow_once")  ? &a->allow
			    : json_str_is(kind, "reject_once") ? &a->reject
							       : NULL;
		if (at && !*at && id.text)
			*at = mem_strndup(id.text, id.len);
	}
}

static void take_permission(struct acp *a, const struct rpc *r)
{
	const struct json *tool = json_get(r->params, "toolCall");
	struct buf name = {0}, args = {0}, title = {0};

	forget_request(a);
	a->request = mem_strndup(r->id.text, r->id.len);
	a->tool = json_strdup(json_get(tool, "toolCallId"));
	take_options(a, json_get(r->params, "options"));
	begin_tool(a, tool);
	put_name(&name, tool);
	put_args(&args, tool);
	notes_approval(&a->notes, &a->dialect,
	    (struct span){name.data, name.len},
	    (struct span){args.data, args.len},
	    notes_span(&title, json_get(tool, "title")));
	buf_fini(&name);
	buf_fini(&args);
	buf_fini(&title);
}

static void take_update(struct acp *a, const struct json *update)
{
	const struct json *type = json_get(update, "sessionUpdate");
	const struct json *text = json_get(json_get(update, "content"), "text");

	if (json_str_is(type, "agent_message_chunk"))
		(void)notes_text(&a->said, text);
	else if (json_str_is(type, "agent_thought_chunk"))
		(void)notes_text(&a->thought, text);
	else if (json_str_is(type, "tool_call") ||
		 json_str_is(type, "tool_call_update"))
		take_tool(a, update);
}

/* Where Gemini tells it. */
static void take_usage(struct acp *a, const struct json *result)
{
	const struct json *count = json_get(
	    json_get(json_get(result, "_meta"), "quota"), "token_count");

	a->notes.has_usage =
	    json_int(json_get(count, "input_tokens"), &a->notes.input_tokens) &&
	    json_int(json_get(count, "output_tokens"), &a->notes.output_tokens);
}

static void take_end(struct acp *a, const struct rpc *r)
{
	const struct json *reason = json_get(r->result, "stopReason");
	struct buf text = {0};

	take_usage(a, r->result);
	if (r->error)
		rpc_put_error(&text, r->error);
	else if (!json_str_is(reason, "end_turn"))
		(void)notes_text(&text, reason);
	if (text.len)
		end(a, false, buf_cstr(&text));
	else
		end(a, true, NULL);
	buf_fini(&text);
}

/* There is no session, and so no prompt: nobody has logged in, for instance. */
static void fail(struct acp *a, const struct json *error)
{
	struct buf text = {0};

	rpc_put_error(&text, error);
	a->dialect.handlers->on_failure(a->dialect.arg, buf_cstr(&text));
	buf_fini(&text);
}

static void take_session(struct acp *a, const struct json *result)
{
	a->session = json_strdup(json_get(result, "sessionId"));
	if (!a->session)
		fail(a, NULL);
	else if (a->prompt)
		start_turn(a);
}

static void take_answer(struct acp *a, const struct rpc *r)
{
	if (r->error && !a->session)
		fail(a, r->error);
	else if (r->error || (r->number == a->n_prompt && a->session))
		take_end(a, r);
	else if (r->number == INITIALIZE)
		start_session(a);
	else if (r->number == SESSION_NEW)
		take_session(a, r->result);
}

static void acp_take(struct dialect *d, const struct json *line)
{
	struct acp *a = acp_of(d);
	struct rpc r;

	rpc_read(&r, line);
	if (!r.method)
		take_answer(a, &r);
	else if (json_str_is(r.method, "session/update"))
		take_update(a, json_get(r.params, "update"));
	else if (!r.id.text)
		return;
	else if (json_str_is(r.method, "session/request_permission"))
		take_permission(a, &r);
	else
		rpc_refuse(&d->out, true, r.id);
}

static void acp_free(struct dialect *d)
{
	struct acp *a = acp_of(d);

	forget_request(a);
	free(a->dir);
	free(a->session);
	free(a->prompt);
	buf_fini(&a->said);
	buf_fini(&a->thought);
	notes_fini(&a->notes);
	buf_fini(&d->out);
	free(a);
}

static const struct dialect_ops acp_ops = {
    .start = acp_start,
    .prompt = acp_prompt,
    .take = acp_take,
    .answer = acp_answer,
    .interrupt = acp_interrupt,
    .free = acp_free,
};

struct dialect *acp_new(void)
{
	struct acp *a = mem_zero(sizeof *a);

	a->dialect.ops = &acp_ops;
	return &a->dialect;
}
