/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "wrapper/account.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/enc.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "ons/ons_message.h"
#include "wrapper/doer.h"
#include "wrapper/notes.h"
#include "wrapper/order.h"
#include "wrapper/report.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A longer input of a tool is told when the tool begins, and not at its end. */
#define MAX_KEPT_INPUT ((size_t)16 * 1024)

/* Of a document: its heading, and its first paragraph. */
#define MAX_TITLE 120
#define MAX_SUMMARY 500

struct account {
	struct report *report;
	const char *agent_id;
	struct order *order; /* NULL: no command runs */
	char *root;	     /* traceId of the prompt; NULL: not sent yet */
	int64_t began_ms;    /* wall clock */
	int64_t n_said;
	char *usage; /* JSON; NULL: unknown */
	struct account_tool {
		char *id, *name, *input; /* input is JSON */
		int64_t began_ms;
	} tools[NOTES_MAX_TOOLS];
	size_t n_tools;
	bool has_tools;
};

static void put_text(struct buf *out, const char *key, struct span text)
{
	if (text.len > ACCOUNT_MAX_TEXT)
		text.len = utf8_cut(text.text, text.len, ACCOUNT_MAX_TEXT);
	ons_put_text(out, key, text);
}

/* ---- nodes ---- */

/* parent: NULL for the root. */
static void begin_node(struct account *a, struct buf *out, const char *id,
    const char *parent, const char *type, const char *name)
{
	buf_char(out, '{');
	ons_put_str(out, "commandId", a->order->id);
	ons_put_str(out, "agentId", a->agent_id);
	ons_put_str(out, "traceId", id);
	if (parent)
		ons_put_str(out, "parentId", parent);
	else
		ons_put_json(out, "parentId", span_cstr("null"));
	ons_put_str(out, "type", type);
	ons_put_str(out, "name", name);
	ons_begin_object(out, "content");
}

/* is_over: now. */
static void put_times(struct buf *out, int64_t began_ms, bool is_over)
{
	int64_t now_ms = clock_wall_ms();

	ons_end_object(out); /* of the content */
	ons_put_int(out, "startedAt", began_ms);
	if (!is_over)
		return;
	ons_put_int(out, "completedAt", now_ms);
	ons_put_int(
	    out, "durationMs", now_ms > began_ms ? now_ms - began_ms : 0);
}

static void send_node(struct account *a, struct buf *node, const char *id)
{
	ons_end_object(node);
	report_document(
	    a->report, a->order, ONS_TRACE_EVENT, id, node->data, node->len);
	buf_fini(node);
}

/* ---- the root ---- */

static int64_t tokens_of(const struct json *usage)
{
	int64_t input = 0, output = 0;

	(void)json_int(json_get(usage, "input_tokens"), &input);
	(void)json_int(json_get(usage, "output_tokens"), &output);
	return input + output;
}

static void put_usage(struct account *a, struct buf *out)
{
	struct json_doc doc = {0};
	struct json_error error;

	if (!a->usage)
		return;
	a->order->n_tokens =
	    tokens_of(json_parse(&doc, a->usage, strlen(a->usage), 0, &error));
	ons_put_int(out, "tokensUsed", a->order->n_tokens);
	ons_put_json(out, "metadata", span_cstr(a->usage));
	json_fini(&doc);
}

static void send_root(struct account *a, const struct doer_result *result)
{
	struct buf node = {0};

	begin_node(a, &node, a->root, NULL, "LLM_PROMPT", "prompt");
	put_text(&node, "prompt", span_cstr(a->order->text));
	if (result && result->text)
		put_text(&node, "response", span_cstr(result->text));
	if (result && result->error)
		put_text(&node, "error", span_cstr(result->error));
	put_times(&node, a->began_ms, result != NULL);
	if (result)
		put_usage(a, &node);
	send_node(a, &node, a->root);
}

static void make_root(struct account *a)
{
	struct buf id = {0};
	uint64_t random;

	if (a->root)
		return;
	enc_random(&random, sizeof random);
	ons_put_id(&id, "trace", a->began_ms, random);
	a->root = buf_steal(&id, NULL);
	send_root(a, NULL);
}

/* ---- what the agent says ---- */

static void take_words(
    struct account *a, const struct json *event, const char *type)
{
	struct buf node = {0}, id = {0}, text = {0};

	buf_printf(&id, "%s-%lld", a->root, (long long)++a->n_said);
	begin_node(a, &node, buf_cstr(&id), a->root, "RESPONSE", type);
	put_text(
	    &node, "response", notes_span(&text, json_get(event, "content")));
	put_times(&node, clock_wall_ms(), true);
	send_node(a, &node, buf_cstr(&id));
	buf_fini(&id);
	buf_fini(&text);
}

/* ---- tools ---- */

static void send_tool(struct account *a, const struct account_tool *tool,
    const struct json *result)
{
	bool is_error = json_str_is(json_get(result, "status"), "error");
	struct buf node = {0}, text = {0};

	begin_node(a, &node, tool->id, a->root, "TOOL_CALL", tool->name);
	ons_put_str(&node, "toolName", tool->name);
	ons_put_json(&node, "toolInput", span_cstr(tool->input));
	if (result)
		put_text(&node, is_error ? "error" : "toolOutput",
		    notes_span(&text, json_get(result, "result")));
	put_times(&node, tool->began_ms, result != NULL);
	send_node(a, &node, tool->id);
	buf_fini(&text);
}

static void forget_input(struct account_tool *tool)
{
	free(tool->input);
	tool->input = NULL;
}

static void forget_tool(struct account *a, struct account_tool *tool)
{
	free(tool->id);
	free(tool->name);
	forget_input(tool);
	*tool = a->tools[--a->n_tools];
}

static void take_call(struct account *a, const struct json *event)
{
	struct account_tool *tool = &a->tools[a->n_tools];
	struct span input = notes_json(json_get(event, "args"));
	char *id = json_strdup(json_get(event, "tool_id"));

	if (a->n_tools == NOTES_MAX_TOOLS || !id ||
	    !ons_is_command_id(span_cstr(id))) {
		free(id); /* the server would not take it */
		return;
	}
	*tool = (struct account_tool){
	    .id = id,
	    .name = json_strdup(json_get(event, "name")),
	    .input = input.text ? mem_strndup(input.text, input.len) : NULL,
	    .began_ms = clock_wall_ms(),
	};
	a->n_tools++;
	send_tool(a, tool, NULL);
	if (input.len > MAX_KEPT_INPUT)
		forget_input(tool);
}

static void take_result(struct account *a, const struct json *event)
{
	const struct json *id = json_get(event, "tool_id");

	for (size_t i = 0; i < a->n_tools; i++)
		if (json_str_is(id, a->tools[i].id)) {
			send_tool(a, &a->tools[i], event);
			forget_tool(a, &a->tools[i]);
			return;
		}
}

/* ---- documents ---- */

static bool wants_document(const struct order *x)
{
	static const char *const kinds[] = {
	    "INVESTIGATE", "REVIEW", "PLAN", "SYNTHESIZE"};

	for (size_t i = 0; x->kind && i < sizeof kinds / sizeof *kinds; i++)
		if (strcasecmp(x->kind, kinds[i]) == 0)
			return true;
	return false;
}

/* Returns where the next line with a text begins. */
static const char *skip_empty(const char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	return text;
}

/* The first line, without the marks of a heading. */
static struct span title_of(const char *text)
{
	text += strspn(text, "# \t\r\n");
	size_t n = strcspn(text, "\r\n");

	return (struct span){
	    text, n > MAX_TITLE ? utf8_cut(text, n, MAX_TITLE) : n};
}

/* The first paragraph below the title, or else the title. */
static struct span summary_of(const char *text)
{
	struct span title = title_of(text);
	const char *rest = title.text + title.len;
	rest = skip_empty(rest + strcspn(rest, "\n"));
	const char *end = strstr(rest, "\n\n");
	size_t n = end ? (size_t)(end - rest) : strlen(rest);

	if (n == 0)
		return title;
	return (struct span){
	    rest, n > MAX_SUMMARY ? utf8_cut(rest, n, MAX_SUMMARY) : n};
}

static void send_document(struct account *a, const char *answer)
{
	struct buf text = {0}, id = {0};
	uint64_t random;

	enc_random(&random, sizeof random);
	ons_put_id(&id, "report", clock_wall_ms(), random);
	buf_char(&text, '{');
	ons_put_str(&text, "commandId", a->order->id);
	ons_put_str(&text, "agentId", a->agent_id);
	ons_put_str(&text, "reportId", buf_cstr(&id));
	ons_put_str(&text, "status", "COMPLETE");
	ons_put_text(&text, "title", title_of(answer));
	ons_put_text(&text, "summary", summary_of(answer));
	put_text(&text, "content", span_cstr(answer));
	ons_end_object(&text);
	report_document(a->report, a->order, ONS_INVESTIGATION_REPORT,
	    buf_cstr(&id), text.data, text.len);
	buf_fini(&text);
	buf_fini(&id);
}

/* ---- life ---- */

struct account *account_new(struct report *report, const char *agent_id)
{
	struct account *a = mem_zero(sizeof *a);

	a->report = report;
	a->agent_id = agent_id;
	return a;
}

static void forget_command(struct account *a)
{
	while (a->n_tools)
		forget_tool(a, &a->tools[0]);
	free(a->root);
	free(a->usage);
	a->root = a->usage = NULL;
	a->order = NULL;
}

void account_free(struct account **ap)
{
	struct account *a = *ap;

	*ap = NULL;
	if (!a)
		return;
	forget_command(a);
	free(a);
}

void account_begin(struct account *a, struct order *x, bool with_tools)
{
	forget_command(a);
	a->order = x;
	a->began_ms = clock_wall_ms();
	a->n_said = 0;
	a->has_tools = with_tools;
}

static void keep_usage(struct account *a, const struct json *event)
{
	struct span usage = notes_json(json_get(event, "usage"));

	free(a->usage);
	a->usage = usage.text ? mem_strndup(usage.text, usage.len) : NULL;
}

void account_take(struct account *a, const struct json *event)
{
	const struct json *type = json_get(event, "type");

	make_root(a);
	if (json_str_is(type, "assistant"))
		take_words(a, event, "assistant");
	else if (json_str_is(type, "thinking"))
		take_words(a, event, "thinking");
	else if (json_str_is(type, "tool_call") && a->has_tools)
		take_call(a, event);
	else if (json_str_is(type, "tool_result") && a->has_tools)
		take_result(a, event);
	else if (json_str_is(type, "llm_result"))
		keep_usage(a, event);
}

void account_end(struct account *a, const struct doer_result *result)
{
	if (a->root)
		send_root(a, result);
	if (a->root && result->state == ONS_COMPLETED && result->text &&
	    wants_document(a->order))
		send_document(a, result->text);
	forget_command(a);
}
