/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "mcp/mcp_run.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/stat.h"
#include "mcp/mcp_ask.h"
#include "mcp/mcp_conn.h"
#include "mcp/mcp_content.h"
#include "mcp/mcp_header.h"
#include "mcp/mcp_message.h"
#include "mcp/mcp_tools.h"
#include "net/loop.h"

#include <stdlib.h>
#include <string.h>

/* How often a server may ask before one call is done. */
#define MAX_ROUNDS 16

/* What we say to a question while another one waits. */
#define BUSY "{\"action\":\"cancel\"}"

struct tool_run {
	struct mcp_run_place *place;
	struct list link;
	struct tool_call_ops ops;
	void *arg;
	char *remote; /* name of the tool at the server */
	struct buf args;
	struct buf headers; /* each with a NUL behind it */
	struct mcp_request request;
	bool is_asking_server;	 /* the request is in progress */
	struct loop_timer timer; /* of the request */
	struct loop_later later; /* the next step */
	char *failure;		 /* ends it, in the next step */
	/* A question to the user, and the question's id of an older server. */
	struct mcp_ask *ask;
	char *ask_id; /* exact JSON; NULL: it is of input_required */
	/* A result that asks for inputs. */
	unsigned rounds;
	struct buf asked; /* its text, to which these point */
	struct json_doc doc;
	const struct json *input; /* the one that is asked for */
	struct buf responses;	  /* members of inputResponses */
	char *state;		  /* requestState, exact JSON; or NULL */
};

/* ---- the end ---- */

static void run_free(struct tool_run *t)
{
	stat_add(mcp_calls, -1);
	loop_timer_stop(t->place->loop, &t->timer);
	loop_later_cancel(&t->later);
	list_remove(&t->link);
	mcp_ask_free(&t->ask);
	json_fini(&t->doc);
	buf_fini(&t->asked);
	buf_fini(&t->responses);
	buf_fini(&t->args);
	buf_fini(&t->headers);
	free(t->ask_id);
	free(t->state);
	free(t->failure);
	free(t->remote);
	free(t);
}

static void run_end(
    struct tool_run *t, enum tool_status status, const struct buf *result)
{
	struct tool_call_ops ops = t->ops;
	void *arg = t->arg;

	if (status == TOOL_ERROR)
		stat_add(mcp_errors, 1);
	run_free(t);
	ops.on_end(arg, status, result->len ? result->data : "", result->len);
}

static void run_fail(struct tool_run *t, const char *why)
{
	struct buf text = {0};

	buf_str(&text, why);
	run_end(t, TOOL_ERROR, &text);
	buf_fini(&text);
}

/* For callbacks that must not end it themselves. */
static void fail_later(struct tool_run *t, const char *what, const char *why)
{
	struct buf text = {0};

	buf_printf(&text, "The MCP server %s ", mcp_conn_name(t->place->conn));
	buf_printf(&text, "%s%s", what, why);
	if (!t->failure)
		t->failure = buf_steal(&text, NULL);
	buf_fini(&text);
	loop_later_ask(t->place->loop, &t->later);
}

/* ---- requests ---- */

static void run_write(void *arg, struct buf *out, enum mcp_era era, int64_t id)
{
	struct tool_run *t = arg;
	struct buf responses = {0};
	struct mcp_message_call call = {
	    .name = t->remote,
	    .args = t->args.data,
	    .args_len = t->args.len,
	    .state = t->state,
	};

	if (t->responses.len) {
		buf_char(&responses, '{');
		buf_append(&responses, t->responses.data, t->responses.len);
		buf_char(&responses, '}');
		call.responses = buf_cstr(&responses);
	}
	mcp_message_put_call(out, era, id, &call);
	buf_fini(&responses);
}

static void run_write_headers(void *arg, struct buf *out)
{
	struct tool_run *t = arg;

	buf_append(out, t->headers.data, t->headers.len);
}

static void ask_server(struct tool_run *t)
{
	const char *why = mcp_conn_ask(t->place->conn, &t->request);

	t->is_asking_server = !why;
	if (why)
		fail_later(t, "cannot be asked: ", why);
	else
		loop_timer_set(t->place->loop, &t->timer, t->place->timeout_ms);
}

static void on_time(void *arg)
{
	struct tool_run *t = arg;
	struct buf text = {0};

	mcp_conn_withdraw(t->place->conn, &t->request);
	buf_printf(&text,
	    "The MCP server %s gave no answer within %lld ms (timeout). The "
	    "tool may have done its work",
	    mcp_conn_name(t->place->conn), (long long)t->place->timeout_ms);
	run_end(t, TOOL_ERROR, &text);
	buf_fini(&text);
}

/* ---- inputs that a result asks for ---- */

static void next_input(struct tool_run *t)
{
	const struct json *method = json_get(t->input, "method");

	if (t->input && json_str_is(method, "elicitation/create"))
		t->ask = mcp_ask_new(mcp_conn_name(t->place->conn),
		    json_get(t->input, "params"));
	else if (t->input)
		fail_later(t, "needs what no client here can give: ",
		    "it asked for something else than the user");
	loop_later_ask(t->place->loop, &t->later);
}

static void take_inputs(struct tool_run *t, const struct json *result)
{
	struct json_error why;
	size_t len;
	const char *text = json_text(result, &len);

	if (++t->rounds > MAX_ROUNDS) {
		fail_later(t, "asks again and again", "");
		return;
	}
	buf_reset(&t->asked);
	buf_reset(&t->responses);
	buf_append(&t->asked, text, len);
	result = json_parse(&t->doc, t->asked.data, t->asked.len, 0, &why);
	const struct json *state = json_get(result, "requestState");
	free(t->state);
	t->state = NULL;
	if (json_type(state) != JSON_NULL) {
		text = json_text(state, &len);
		t->state = mem_strndup(text, len);
	}
	t->input = json_first(json_get(result, "inputRequests"));
	next_input(t);
}

/* The user has answered the input that is asked for. */
static void put_response(struct tool_run *t)
{
	size_t len;
	const char *key = json_text(json_key(t->input), &len);

	if (t->responses.len)
		buf_char(&t->responses, ',');
	buf_append(&t->responses, key, len);
	buf_char(&t->responses, ':');
	mcp_ask_put_result(t->ask, &t->responses);
	t->input = json_next(t->input);
}

/* ---- questions ---- */

static void put_question(struct tool_run *t)
{
	struct buf body = {0};

	mcp_ask_put_question(t->ask, &body);
	t->ops.on_question(t->arg, body.data, body.len);
	buf_fini(&body);
}

static void finish_ask(struct tool_run *t)
{
	struct buf result = {0};

	if (t->ask_id) {
		mcp_ask_put_result(t->ask, &result);
		mcp_conn_reply(t->place->conn,
		    (struct span){t->ask_id, strlen(t->ask_id)},
		    buf_cstr(&result));
		free(t->ask_id);
		t->ask_id = NULL;
		loop_timer_set(t->place->loop, &t->timer, t->place->timeout_ms);
		mcp_ask_free(&t->ask);
	} else {
		put_response(t);
		mcp_ask_free(&t->ask);
		next_input(t);
	}
	buf_fini(&result);
}

/* May end the call. */
static void on_later(void *arg)
{
	struct tool_run *t = arg;

	if (t->failure) {
		char *why = t->failure;
		t->failure = NULL;
		if (t->is_asking_server)
			mcp_conn_withdraw(t->place->conn, &t->request);
		run_fail(t, why);
		free(why);
	} else if (t->ask && mcp_ask_is_over(t->ask)) {
		finish_ask(t);
	} else if (t->ask) {
		put_question(t);
	} else if (!t->is_asking_server) {
		ask_server(t);
	}
}

/* ---- what the server says ---- */

static bool is_complete(const struct json *result)
{
	const struct json *type = json_get(result, "resultType");

	return json_type(type) == JSON_NULL || json_str_is(type, "complete");
}

static void on_answer(void *arg, const struct mcp_message *m)
{
	struct tool_run *t = arg;
	struct buf text = {0};

	t->is_asking_server = false;
	loop_timer_stop(t->place->loop, &t->timer);
	if (m->kind == MCP_ERROR) {
		mcp_message_put_error(&text, m);
		(void)mcp_content_cut(&text, 0, TOOL_RESULT_MAX);
		run_end(t, TOOL_ERROR, &text);
	} else if (json_str_is(
		       json_get(m->body, "resultType"), "input_required")) {
		take_inputs(t, m->body);
	} else if (!is_complete(m->body)) {
		fail_later(t, "gave a result of a kind that is not known", "");
	} else {
		bool is_good = mcp_content_put(&text, m->body, TOOL_RESULT_MAX);
		run_end(t, is_good ? TOOL_SUCCESS : TOOL_ERROR, &text);
	}
	buf_fini(&text);
}

static void on_failed(void *arg, const char *why)
{
	struct tool_run *t = arg;

	t->is_asking_server = false;
	run_fail(t, why);
}

static void on_progress(void *arg, const char *text, size_t len)
{
	struct tool_run *t = arg;

	t->ops.on_output(t->arg, text, len);
}

static void on_asked(void *arg, struct span id, const struct json *params)
{
	struct tool_run *t = arg;

	if (t->ask || ++t->rounds > MAX_ROUNDS) {
		mcp_conn_reply(t->place->conn, id, BUSY);
		return;
	}
	loop_timer_stop(t->place->loop, &t->timer);
	t->ask_id = mem_strndup(id.text, id.len);
	t->ask = mcp_ask_new(mcp_conn_name(t->place->conn), params);
	loop_later_ask(t->place->loop, &t->later);
}

static const struct mcp_request_ops request_ops = {
    .write = run_write,
    .write_headers = run_write_headers,
    .on_answer = on_answer,
    .on_failed = on_failed,
    .on_progress = on_progress,
    .on_asked = on_asked,
};

/* ---- calls of the agent loop ---- */

static const struct mcp_tool *find_tool(
    const struct mcp_conn *conn, const char *name)
{
	const struct mcp_tools *tools = mcp_conn_tools(conn);

	for (size_t i = 0; i < tools->n; i++)
		if (strcmp(tools->all[i].tool.name, name) == 0)
			return &tools->all[i];
	return NULL;
}

/* Keep what is needed of the tool, since the list may change. */
static void take_call(struct tool_run *t, const struct tool_call *call)
{
	const struct mcp_tool *tool =
	    find_tool(t->place->conn, call->tool->name);
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *args;

	buf_append(&t->args, call->args, call->args_len);
	args = json_parse(&doc, t->args.data, t->args.len, 0, &why);
	if (!tool) {
		fail_later(t, "has no such tool any more", "");
	} else if (!json_is(args, JSON_OBJECT)) {
		fail_later(t,
		    "was not asked: ", "the arguments are not a JSON object");
	} else {
		t->remote = mem_strdup(tool->remote);
		t->request.name = t->remote;
		(void)mcp_headers_put(&t->headers, &tool->headers, args);
		ask_server(t);
	}
	json_fini(&doc);
}

struct tool_run *mcp_run_start(struct mcp_run_place *place,
    const struct tool_call *call, const struct tool_call_ops *ops, void *arg)
{
	struct tool_run *t = mem_zero(sizeof *t);

	stat_add(mcp_calls, 1);
	t->place = place;
	t->ops = *ops;
	t->arg = arg;
	t->request.ops = &request_ops;
	t->request.arg = t;
	list_append(&place->runs, &t->link);
	loop_timer_init(&t->timer, on_time, t);
	loop_later_init(&t->later, on_later, t);
	take_call(t, call);
	return t;
}

void mcp_run_answer(struct tool_run *t, const char *answer, size_t len)
{
	if (!t->ask)
		return;
	mcp_ask_answer(t->ask, answer, len);
	loop_later_ask(t->place->loop, &t->later);
}

void mcp_run_cancel(struct tool_run **run)
{
	struct tool_run *t = *run;

	*run = NULL;
	if (!t)
		return;
	if (t->is_asking_server)
		mcp_conn_withdraw(t->place->conn, &t->request);
	run_free(t);
}

void mcp_run_cancel_all(struct mcp_run_place *place)
{
	list_each_safe(link, &place->runs)
	{
		struct tool_run *t = list_entry(link, struct tool_run, link);
		mcp_run_cancel(&t);
	}
}
