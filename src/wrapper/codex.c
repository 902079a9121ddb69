/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * The app-server of Codex: JSON-RPC without a version. A thread is a
 * conversation, and a turn ends with the notification turn/completed. Requests
 * of the server have ids of their own.
 */
#include "base/json.h"
#include "base/mem.h"
#include "wrapper/dialect.h"
#include "wrapper/notes.h"
#include "wrapper/rpc.h"

#include <stdlib.h>

/* The numbers of our requests: these two, then turns, then interrupts. */
enum { INITIALIZE = 1, THREAD_START = 2, FIRST_TURN = 3 };

struct codex {
	struct dialect dialect;
	struct notes notes;
	char *dir;
	char *thread;	  /* NULL: not ready */
	char *turn;	  /* NULL: not known */
	char *prompt;	  /* waits for the thread; NULL: none */
	char *request;	  /* what was asked last, exact id; NULL: nothing */
	char *question;	  /* its id; NULL: an approval */
	int64_t n;	  /* of the last request */
	int64_t n_turn;	  /* of turn/start */
	bool is_stopping; /* as soon as the turn is known */
	bool has_turn;
};

static struct codex *codex_of(struct dialect *d)
{
	return (struct codex *)(void *)((char *)d -
					offsetof(struct codex, dialect));
}

static void forget(char **text)
{
	free(*text);
	*text = NULL;
}

static void end(struct codex *c, bool is_success, const char *text)
{
	forget(&c->request);
	forget(&c->question);
	forget(&c->turn);
	c->is_stopping = false;
	if (!c->has_turn)
		return;
	c->has_turn = false;
	notes_end(&c->notes, &c->dialect, is_success, text);
}

/* ---- to the program ---- */

static void codex_start(struct dialect *d, const char *dir)
{
	struct codex *c = codex_of(d);

	c->dir = mem_strdup(dir);
	rpc_request(&d->out, false, INITIALIZE, "initialize");
	buf_str(&d->out, "{\"clientInfo\":{\"name\":\"onsembl-agent\","
			 "\"title\":\"onsembl-agent\",\"version\":"
			 "\"" PACKAGE_VERSION "\"}}");
	rpc_end(&d->out);
}

static void start_thread(struct codex *c)
{
	struct buf *out = &c->dialect.out;

	rpc_notify(out, false, "initialized");
	buf_str(out, "{}");
	rpc_end(out);
	rpc_request(out, false, THREAD_START, "thread/start");
	buf_str(out, "{\"cwd\":");
	buf_json_str(out, c->dir);
	buf_str(out, ",\"approvalPolicy\":\"on-request\","
		     "\"sandbox\":\"workspace-write\"}");
	rpc_end(out);
	c->n = THREAD_START;
}

static void start_turn(struct codex *c)
{
	struct buf *out = &c->dialect.out;

	c->n_turn = ++c->n;
	rpc_request(out, false, c->n_turn, "turn/start");
	buf_str(out, "{\"threadId\":");
	buf_json_str(out, c->thread);
	buf_str(out, ",\"input\":[{\"type\":\"text\",\"text\":");
	buf_json_str(out, c->prompt);
	buf_str(out, "}]}");
	rpc_end(out);
	forget(&c->prompt);
}

static void codex_prompt(struct dialect *d, const char *text, size_t len)
{
	struct codex *c = codex_of(d);

	c->prompt = mem_strndup(text, len);
	c->has_turn = true;
	if (c->thread)
		start_turn(c);
}

static void interrupt_turn(struct codex *c)
{
	struct buf *out = &c->dialect.out;

	c->is_stopping = false;
	rpc_request(out, false, ++c->n, "turn/interrupt");
	buf_str(out, "{\"threadId\":");
	buf_json_str(out, c->thread);
	buf_str(out, ",\"turnId\":");
	buf_json_str(out, c->turn);
	buf_char(out, '}');
	rpc_end(out);
}

static bool codex_interrupt(struct dialect *d)
{
	struct codex *c = codex_of(d);

	forget(&c->request);
	if (c->turn)
		interrupt_turn(c);
	else
		c->is_stopping = true;
	return true;
}

static void put_decision(struct buf *out, const struct json *answer)
{
	bool is_approved = false;
	bool is_hard = json_str_is(json_get(answer, "mode"), "reject_hard");
	bool is_lasting = json_str_is(json_get(answer, "scope"), "session");

	(void)json_bool(json_get(answer, "approved"), &is_approved);
	buf_printf(out, "{\"decision\":\"%s\"}",
	    is_approved && is_lasting ? "acceptForSession"
	    : is_approved	      ? "accept"
	    : is_hard		      ? "cancel"
				      : "decline");
}

/* One text, or a list of them. */
static void put_answers(
    struct buf *out, const char *question, const struct json *answer)
{
	struct span json = notes_json(answer);
	bool is_list = json_is(answer, JSON_ARRAY);

	buf_str(out, "{\"answers\":{");
	buf_json_str(out, question);
	buf_str(out, is_list ? ":{\"answers\":" : ":{\"answers\":[");
	buf_append(
	    out, json.text ? json.text : "\"\"", json.text ? json.len : 2);
	buf_str(out, is_list ? "}}}" : "]}}}");
}

static void codex_answer(struct dialect *d, const struct json *line)
{
	struct codex *c = codex_of(d);
	const struct json *type = json_get(line, "type");
	bool is_answer = json_str_is(
	    type, c->question ? "ASK_USER_RESPONSE" : "APPROVAL_RESPONSE");

	if (!c->request || !is_answer)
		return;
	rpc_answer(&d->out, false, span_cstr(c->request));
	if (c->question)
		put_answers(&d->out, c->question, json_get(line, "answer"));
	else
		put_decision(&d->out, line);
	rpc_end(&d->out);
	forget(&c->request);
	forget(&c->question);
}

/* ---- items ---- */

/* The name of a tool of this type of item; NULL: it is no tool. */
static const char *tool_of(const struct json *type)
{
	static const char *const rows[][2] = {
	    {"commandExecution", "shell"},
	    {"fileChange", "edit"},
	    {"mcpToolCall", "mcp"},
	    {"dynamicToolCall", "tool"},
	    {"webSearch", "web_search"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (json_str_is(type, rows[i][0]))
			return rows[i][1];
	return NULL;
}

static void begin_tool(
    struct codex *c, const struct json *id, const struct json *item)
{
	static const char *const skipped[] = {"type", "id", "status",
	    "aggregatedOutput", "processId", "exitCode", "durationMs",
	    "startedAtMs", "completedAtMs", "pluginId", "scriptPath", "source",
	    "commandActions", NULL};
	const char *name = tool_of(json_get(item, "type"));
	struct buf args = {0}, text = {0};

	if (!name)
		return;
	json_put_without(&args, item, skipped);
	notes_call(&c->notes, &c->dialect, notes_span(&text, id),
	    span_cstr(name), (struct span){args.data, args.len});
	buf_fini(&args);
	buf_fini(&text);
}

static void end_tool(struct codex *c, const struct json *item)
{
	const struct json *status = json_get(item, "status");
	struct buf result = {0}, id = {0};
	int64_t code = 0;

	(void)json_int(json_get(item, "exitCode"), &code);
	(void)notes_text(&result, json_get(item, "aggregatedOutput"));
	if (json_str_is(status, "declined"))
		buf_str(&result, "The user refused this.");
	notes_result(&c->notes, &c->dialect,
	    notes_span(&id, json_get(item, "id")),
	    code == 0 && (!status || json_str_is(status, "completed")),
	    &result);
	buf_fini(&result);
	buf_fini(&id);
}

/* Its summary, or else its content: lists of texts. */
static void take_reasoning(struct codex *c, const struct json *item)
{
	const struct json *list = json_get(item, "summary");
	struct buf text = {0};

	if (json_count(list) == 0)
		list = json_get(item, "content");
	for (const struct json *v = json_first(list); v; v = json_next(v)) {
		buf_str(&text, text.len ? "\n" : "");
		(void)notes_text(&text, v);
	}
	notes_say(&c->notes, &c->dialect, "thinking", &text);
	buf_fini(&text);
}

static void take_item(struct codex *c, const struct json *item)
{
	const struct json *type = json_get(item, "type");
	struct buf text = {0};

	if (json_str_is(type, "agentMessage")) {
		(void)notes_text(&text, json_get(item, "text"));
		notes_say(&c->notes, &c->dialect, "assistant", &text);
	} else if (json_str_is(type, "reasoning")) {
		take_reasoning(c, item);
	} else if (tool_of(type)) {
		begin_tool(c, json_get(item, "id"), item);
		end_tool(c, item);
	}
	buf_fini(&text);
}

/* ---- requests of the program ---- */

static void keep_request(struct codex *c, struct span id)
{
	forget(&c->request);
	forget(&c->question);
	c->request = mem_strndup(id.text, id.len);
}

static void ask_approval(struct codex *c, const struct rpc *r, const char *name)
{
	static const char *const skipped[] = {"threadId", "turnId", "itemId",
	    "reason", "availableDecisions", "startedAtMs", "approvalId",
	    "environmentId", "kind", "commandActions",
	    "proposedExecpolicyAmendment", NULL};
	struct buf args = {0}, reason = {0};

	keep_request(c, r->id);
	json_put_without(&args, r->params, skipped);
	notes_approval(&c->notes, &c->dialect, span_cstr(name),
	    (struct span){args.data, args.len},
	    notes_span(&reason, json_get(r->params, "reason")));
	buf_fini(&args);
	buf_fini(&reason);
}

/* The first of its questions. */
static void ask_user(struct codex *c, const struct rpc *r)
{
	const struct json *q = json_first(json_get(r->params, "questions"));

	keep_request(c, r->id);
	c->question = json_strdup(json_get(q, "id"));
	if (!c->question)
		c->question = mem_strdup("");
	notes_question(&c->notes, &c->dialect, json_get(q, "question"),
	    json_get(q, "options"), false);
}

static void take_request(struct codex *c, const struct rpc *r)
{
	if (json_str_is(r->method, "item/commandExecution/requestApproval"))
		ask_approval(c, r, "shell");
	else if (json_str_is(r->method, "item/fileChange/requestApproval"))
		ask_approval(c, r, "edit");
	else if (json_str_is(r->method, "item/tool/requestUserInput"))
		ask_user(c, r);
	else
		rpc_refuse(&c->dialect.out, false, r->id);
}

/* ---- notifications and answers ---- */

static void take_usage(struct codex *c, const struct json *params)
{
	const struct json *last =
	    json_get(json_get(params, "tokenUsage"), "last");

	c->notes.has_usage =
	    json_int(json_get(last, "inputTokens"), &c->notes.input_tokens) &&
	    json_int(json_get(last, "outputTokens"), &c->notes.output_tokens);
}

static void take_end(struct codex *c, const struct json *turn)
{
	const struct json *status = json_get(turn, "status");
	struct buf text = {0};

	if (json_str_is(status, "completed")) {
		end(c, true, NULL);
		return;
	}
	if (!notes_text(&text, json_get(json_get(turn, "error"), "message")) &&
	    !notes_text(&text, status))
		buf_str(&text, "failed");
	end(c, false, buf_cstr(&text));
	buf_fini(&text);
}

static void take_notification(struct codex *c, const struct rpc *r)
{
	const struct json *item = json_get(r->params, "item");

	if (json_str_is(r->method, "item/started"))
		begin_tool(c, json_get(item, "id"), item);
	else if (json_str_is(r->method, "item/completed"))
		take_item(c, item);
	else if (json_str_is(r->method, "thread/tokenUsage/updated"))
		take_usage(c, r->params);
	else if (json_str_is(r->method, "turn/completed"))
		take_end(c, json_get(r->params, "turn"));
}

/* Without a thread there is no prompt: the program is of no use. */
static void take_failure(struct codex *c, const struct json *error)
{
	struct buf text = {0};

	rpc_put_error(&text, error);
	if (c->thread)
		end(c, false, buf_cstr(&text));
	else
		c->dialect.handlers->on_failure(
		    c->dialect.arg, buf_cstr(&text));
	buf_fini(&text);
}

static void take_thread(struct codex *c, const struct json *result)
{
	forget(&c->thread);
	c->thread = json_strdup(json_get(json_get(result, "thread"), "id"));
	if (!c->thread)
		take_failure(c, NULL);
	else if (c->prompt)
		start_turn(c);
}

static void take_turn(struct codex *c, const struct json *result)
{
	forget(&c->turn);
	c->turn = json_strdup(json_get(json_get(result, "turn"), "id"));
	if (c->turn && c->is_stopping)
		interrupt_turn(c);
}

static void take_answer(struct codex *c, const struct rpc *r)
{
	if (r->error && (r->number <= THREAD_START || r->number == c->n_turn))
		take_failure(c, r->error);
	else if (r->number == INITIALIZE)
		start_thread(c);
	else if (r->number == THREAD_START)
		take_thread(c, r->result);
	else if (r->number == c->n_turn)
		take_turn(c, r->result);
}

static void codex_take(struct dialect *d, const struct json *line)
{
	struct codex *c = codex_of(d);
	struct rpc r;

	rpc_read(&r, line);
	if (r.method && r.id.text)
		take_request(c, &r);
	else if (r.method)
		take_notification(c, &r);
	else
		take_answer(c, &r);
}

static void codex_free(struct dialect *d)
{
	struct codex *c = codex_of(d);

	free(c->dir);
	free(c->thread);
	free(c->turn);
	free(c->prompt);
	free(c->request);
	free(c->question);
	notes_fini(&c->notes);
	buf_fini(&d->out);
	free(c);
}

static const struct dialect_ops codex_ops = {
    .start = codex_start,
    .prompt = codex_prompt,
    .take = codex_take,
    .answer = codex_answer,
    .interrupt = codex_interrupt,
    .free = codex_free,
};

struct dialect *codex_new(void)
{
	struct codex *c = mem_zero(sizeof *c);

	c->dialect.ops = &codex_ops;
	return &c->dialect;
}
