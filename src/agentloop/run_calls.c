/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agentloop/run_int.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "core/stat.h"
#include "model/completion.h"
#include "model/history.h"
#include "tools/tool_todo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of the output of a call, so much is shown while it runs. */
#define SHOWN_BYTES ((size_t)256 << 10)

#define BATCH_MS 80

/* Names of tools that the model invented are cut in our answer. */
#define NAME_SHOWN 100

/* ---- taking the calls of an answer ---- */

/* Of arguments that are no object, the model is shown so much. */
#define WRONG_SHOWN 200

static const struct json *parse_args(
    struct json_doc *doc, const char *text, size_t len, const char **why)
{
	struct json_error error = {0};
	const struct json *v = json_parse(doc, text, len, 0, &error);

	*why = v ? "it is another value" : error.message;
	return json_is(v, JSON_OBJECT) ? v : NULL;
}

static void take_args(struct run_call *c, const char *text, size_t len)
{
	struct json_doc doc = {0};
	const char *why;
	size_t n = 0;

	if (strspn(text, " \t\r\n") == len) {
		buf_str(&c->args, "{}"); /* a tool without arguments */
	} else if (parse_args(&doc, text, len, &why)) {
		buf_append(&c->args, text, len);
	} else {
		buf_str(&c->args, "{}");
		if (sscanf(text, RUN_LEFT_OUT, &n) == 1)
			buf_printf(&c->wrong,
			    "The arguments have %zu bytes; at most %zu are "
			    "taken.",
			    n, RUN_ARGS_BYTES);
		else
			buf_printf(&c->wrong,
			    "The arguments are no JSON object (%s). Call %s "
			    "again with an object that fits its schema. You "
			    "sent: %.*s",
			    why, c->name, (int)utf8_cut(text, len, WRONG_SHOWN),
			    text);
	}
	json_fini(&doc);
}

static void take_call(struct run_call *c, const struct json *call)
{
	const struct json *function = json_get(call, "function");
	struct buf scratch = {0};
	size_t len = 0;
	const char *args =
	    json_str(json_get(function, "arguments"), &scratch, &len);
	struct buf text = {0};

	buf_append(&text, args, args ? len : 0);
	c->model_id = json_strdup(json_get(call, "id"));
	c->name = json_strdup(json_get(function, "name"));
	if (!c->model_id)
		c->model_id = mem_strdup("");
	if (!c->name)
		c->name = mem_strdup("");
	take_args(c, buf_cstr(&text), len);
	if (json_is(json_get(call, "extra_content"), JSON_OBJECT)) {
		args = json_text(json_get(call, "extra_content"), &len);
		buf_append(&c->extra, args, len);
	}
	buf_fini(&text);
	buf_fini(&scratch);
}

static void put_args(struct buf *out, const struct buf *args)
{
	char text[64];

	(void)snprintf(text, sizeof text, RUN_LEFT_OUT, args->len);
	if (args->len > RUN_ARGS_BYTES)
		buf_json_str(out, text);
	else
		buf_json(out, args->data, args->len);
}

void run_calls_put(struct buf *out, const struct completion_call *call)
{
	buf_str(out, "{\"id\":");
	buf_json_str(out, call->id);
	buf_str(out, ",\"type\":\"function\",\"function\":{\"name\":");
	buf_json_str(out, call->name);
	buf_str(out, ",\"arguments\":");
	put_args(out, &call->args);
	buf_char(out, '}');
	if (call->extra.len) {
		buf_str(out, ",\"extra_content\":");
		buf_append(out, call->extra.data, call->extra.len);
	}
	buf_char(out, '}');
}

/* Providers refuse conversations with other names, which models may invent. */
static void make_legal(char name[TOOL_NAME_MAX + 1], const char *said)
{
	(void)snprintf(name, TOOL_NAME_MAX + 1, "%s", *said ? said : "unknown");
	for (char *p = name; *p; p++)
		if (!strchr(TOOL_NAME_CHARS, *p))
			*p = '_';
}

/* Append the calls as a message has them, in a form that each provider takes. */
static void put_legal(struct buf *out, const struct agent_turn *t)
{
	buf_char(out, '[');
	for (size_t i = 0; i < t->n_calls; i++) {
		const struct run_call *c = &t->calls[i];
		char name[TOOL_NAME_MAX + 1];
		const struct completion_call call = {
		    .id = c->model_id,
		    .name = name,
		    .args = c->args,
		    .extra = c->extra,
		};
		make_legal(name, c->name);
		buf_str(out, i ? "," : "");
		run_calls_put(out, &call);
	}
	buf_char(out, ']');
}

void run_calls_open(struct agent_turn *t, const char *calls, size_t len)
{
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *list = json_parse(&doc, calls, len, 0, &why);
	size_t n = json_is(list, JSON_ARRAY) ? json_count(list) : 0;

	struct buf clean = {0};

	t->calls = mem_zero((n + 1) * sizeof *t->calls);
	for (const struct json *v = n ? json_first(list) : NULL; v;
	     v = json_next(v)) {
		struct run_call *c = &t->calls[t->n_calls++];
		c->run = t;
		(void)snprintf(c->id, sizeof c->id, "c%u-%lld-%zu",
		    t->input->turn, (long long)t->iteration, t->n_calls);
		take_call(c, v);
	}
	json_fini(&doc);
	t->is_final = n == 0;
	put_legal(&clean, t);
	memory_add_answer(
	    &t->memory, t->said.data, t->said.len, clean.data, clean.len);
	buf_fini(&clean);
}

struct run_call *run_calls_find(
    struct agent_turn *t, const char *id, size_t len)
{
	for (size_t i = 0; i < t->n_calls; i++)
		if (strlen(t->calls[i].id) == len &&
		    memcmp(t->calls[i].id, id, len) == 0)
			return &t->calls[i];
	return NULL;
}

static void free_call(struct run_call *c)
{
	if (c->running)
		c->box->ops->cancel(&c->running);
	free(c->model_id);
	free(c->name);
	buf_fini(&c->args);
	buf_fini(&c->extra);
	buf_fini(&c->wrong);
	buf_fini(&c->result);
	buf_fini(&c->question);
	buf_fini(&c->output);
}

/* ---- showing ---- */

static void announce(struct run_call *c)
{
	struct agent_turn *t = c->run;
	struct draft *d;

	if (c->is_announced)
		return;
	c->is_announced = true;
	c->began_us = clock_mono_us();
	d = run_begin(t, EV_TOOL_CALL);
	run_str(t, "tool_id", c->id);
	run_str(t, "name", c->name);
	event_json(d, "args", c->args.data, c->args.len);
	run_str(t, "status", "running");
	run_emit(t);
}

static void show_output(struct run_call *c)
{
	struct agent_turn *t = c->run;
	size_t room = SHOWN_BYTES - c->n_shown;
	size_t len = c->output.len < room ? c->output.len : room;

	if (len) {
		run_begin(t, EV_TERMINAL_OUTPUT);
		event_str(&t->draft, "content", c->output.data, len);
		run_emit(t);
	}
	c->n_shown += len;
	buf_reset(&c->output);
}

void run_calls_show(struct agent_turn *t)
{
	for (size_t i = 0; i < t->n_calls && !t->is_full; i++)
		show_output(&t->calls[i]);
}

static void show_plan(struct run_call *c)
{
	struct agent_turn *t = c->run;
	struct json_doc doc = {0};
	struct json_error why;
	struct buf plan = {0};

	if (strcmp(c->name, "todo") != 0)
		return;
	tool_todo_plan(
	    &plan, json_parse(&doc, c->args.data, c->args.len, 0, &why));
	run_begin(t, EV_PLAN);
	/* A body has no braces. */
	buf_append(&t->draft.body, plan.data + 1, plan.len - 2);
	run_emit(t);
	buf_fini(&plan);
	json_fini(&doc);
}

void run_calls_end(
    struct run_call *c, bool has_failed, const char *text, size_t len)
{
	struct agent_turn *t = c->run;
	struct draft *d;

	c->state = CALL_ENDED;
	buf_reset(&c->result);
	buf_append(&c->result, text, len);
	if (t->asked == c)
		t->asked = NULL;
	show_output(c);
	announce(c);
	if (!has_failed)
		show_plan(c);
	d = run_begin(t, EV_TOOL_RESULT);
	run_str(t, "tool_id", c->id);
	run_str(t, "name", c->name);
	event_json(d, "args", c->args.data, c->args.len);
	run_str(t, "status", has_failed ? "error" : "success");
	event_str(d, "result", text, len);
	event_int(d, "timing_ms", (clock_mono_us() - c->began_us) / 1000);
	run_emit(t);
	c->is_told = true;
}

static void end_wrong(struct run_call *c)
{
	struct buf text = {0};

	buf_append(&text, c->wrong.data, c->wrong.len);
	run_calls_end(c, true, text.data, text.len);
	buf_fini(&text);
}

static void block(struct run_call *c, const char *reason)
{
	struct agent_turn *t = c->run;
	struct draft *d;

	announce(c);
	stat_add(tools_refused, 1);
	d = run_begin(t, EV_TOOL_BLOCKED);
	run_str(t, "tool", c->name);
	run_str(t, "reason", reason);
	event_str(d, "message", c->wrong.data, c->wrong.len);
	run_emit(t);
	end_wrong(c);
}

/* ---- running ---- */

static void run_calls_on_output(void *arg, const char *text, size_t len)
{
	struct run_call *c = arg;
	struct agent_turn *t = c->run;
	size_t held = c->n_shown + c->output.len;
	size_t room = held < SHOWN_BYTES ? SHOWN_BYTES - held : 0;

	buf_append(&c->output, text, len < room ? len : room);
	if (c->output.len && !t->batch.heap_at)
		loop_timer_set(t->agent->loop, &t->batch, BATCH_MS);
}

static void run_calls_on_question(void *arg, const char *body, size_t len)
{
	struct run_call *c = arg;

	buf_reset(&c->question);
	buf_append(&c->question, body, len);
	run_go(c->run);
}

static void run_calls_on_end(
    void *arg, enum tool_status status, const char *result, size_t len)
{
	struct run_call *c = arg;

	c->running = NULL;
	run_calls_end(c, status != TOOL_SUCCESS, result, len);
	run_go(c->run);
}

static void end_unknown(struct run_call *c)
{
	struct buf names = {0};
	size_t len = strlen(c->name);

	toolset_put_names(&c->run->agent->tools, &names);
	run_question_put_names(c->run->agent, &names);
	buf_printf(&c->wrong, "There is no tool \"%.*s\". There are: %s.",
	    (int)utf8_cut(c->name, len, NAME_SHOWN), c->name, buf_cstr(&names));
	buf_fini(&names);
	end_wrong(c);
}

static void start(struct run_call *c)
{
	static const struct tool_call_ops ops = {
	    .on_output = run_calls_on_output,
	    .on_question = run_calls_on_question,
	    .on_end = run_calls_on_end,
	};
	const struct tool *tool =
	    toolset_find(&c->run->agent->tools, c->name, &c->box);

	if (!tool) { /* it is gone since */
		end_unknown(c);
		return;
	}
	const struct tool_call call = {
	    .tool = tool,
	    .id = c->id,
	    .session_id = c->run->input->session_id,
	    .args = c->args.data,
	    .args_len = c->args.len,
	};
	stat_add(tools_called, 1);
	c->state = CALL_RUNNING;
	c->began_us = clock_mono_us();
	c->running = c->box->ops->start(c->box, &call, &ops, c);
}

static void begin_question(struct run_call *c)
{
	if (!run_question_check(c)) {
		end_wrong(c);
		return;
	}
	announce(c);
	c->state = CALL_RUNNING;
	run_question_ask(c);
}

void run_calls_answer(struct agent_turn *t, const struct json *answer)
{
	struct run_call *c = t->asked;
	size_t len;

	t->asked = NULL;
	if (!c)
		return;
	if (c->state == CALL_ASKED) {
		run_gate_answer(t, c, answer);
	} else if (run_question_is(c)) {
		run_question_end(c, answer);
	} else if (c->running && c->box->ops->answer) {
		const char *text = json_text(answer, &len);
		c->box->ops->answer(c->running, text, len);
	}
}

/* ---- one step ---- */

/* What can be done with a call that nobody has looked at. */
static void look(struct agent_turn *t, struct run_call *c)
{
	struct toolbox *box;
	const struct tool *tool = toolset_find(&t->agent->tools, c->name, &box);

	if (c->is_refused) {
		block(c, "rejected");
	} else if (c->wrong.len) {
		end_wrong(c);
	} else if (t->is_stopped) {
		buf_str(&c->wrong, "The user stopped this step.");
		block(c, "rejected");
	} else if (run_question_is(c)) {
		if (!t->asked)
			begin_question(c);
	} else if (!tool) {
		end_unknown(c);
	} else {
		enum run_gate gate = run_gate_of(t, c, tool);
		if (gate == GATE_CLOSED) {
			buf_printf(&c->wrong,
			    "The session is in the mode read-only: %s may "
			    "change something and is not allowed.",
			    c->name);
			block(c, "read-only");
		} else if (gate == GATE_OPEN) {
			announce(c);
			c->state = CALL_GRANTED;
		} else if (!t->asked) {
			announce(c);
			run_gate_ask(t, c);
		}
	}
}

/*
 * Tell, before they start, which calls start: after a crash these are the ones
 * that may have had an effect.
 */
static void mark_granted(struct agent_turn *t)
{
	struct buf ids = {0};

	for (size_t i = 0; i < t->n_calls; i++) {
		struct run_call *c = &t->calls[i];
		if (c->state != CALL_GRANTED)
			continue;
		buf_str(&ids, ids.len ? "," : "[");
		buf_json_str(&ids, c->id);
		c->state = CALL_MARKED;
		c->is_marked = true;
		c->mark = t->n_emitted + 1;
	}
	if (!ids.len)
		return;
	buf_char(&ids, ']');
	run_begin(t, EV_CHECKPOINT);
	event_json(&t->draft, "started", ids.data, ids.len);
	run_emit(t);
	buf_fini(&ids);
}

static void step(struct agent_turn *t, struct run_call *c)
{
	if (c->state == CALL_NEW)
		look(t, c);
	else if (c->state == CALL_MARKED && t->n_written >= c->mark)
		start(c);
	else if (c->state == CALL_ENDED && !c->is_told) {
		struct buf text = c->result;
		c->result = (struct buf){0};
		run_calls_end(c, false, text.data, text.len);
		buf_fini(&text);
	} else if (c->state == CALL_RUNNING && c->question.len && !t->asked) {
		run_question_ask_for_tool(c);
	}
}

bool run_calls_step(struct agent_turn *t)
{
	bool have_ended = true;

	for (size_t i = 0; i < t->n_calls; i++)
		step(t, &t->calls[i]);
	mark_granted(t);
	for (size_t i = 0; i < t->n_calls; i++)
		have_ended &=
		    t->calls[i].state == CALL_ENDED && t->calls[i].is_told;
	return have_ended;
}

/* ---- the end of all ---- */

void run_calls_fold(struct agent_turn *t)
{
	for (size_t i = 0; i < t->n_calls; i++) {
		struct run_call *c = &t->calls[i];
		if (c->state == CALL_ENDED)
			memory_add_result(&t->memory, c->model_id,
			    c->result.data, c->result.len);
		else
			memory_add_result(&t->memory, c->model_id,
			    HISTORY_INTERRUPTED, strlen(HISTORY_INTERRUPTED));
		free_call(c);
	}
	free(t->calls);
	t->calls = NULL;
	t->n_calls = 0;
	t->asked = NULL;
}

void run_calls_cancel(struct agent_turn *t)
{
	for (size_t i = 0; i < t->n_calls; i++) {
		struct run_call *c = &t->calls[i];
		if (c->running)
			c->box->ops->cancel(&c->running);
	}
}
