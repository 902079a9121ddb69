/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "demo/demo_steps.h"

#include "base/clock.h"
#include "base/json.h"
#include "core/agent_opening.h"

#include <string.h>

/* ---- making events ---- */

static void str(struct agent_turn *t, const char *field, const char *text)
{
	event_str(&t->draft, field, text, strlen(text));
}

static char *put_number(char *p, uint64_t v)
{
	char digits[20];
	size_t n = 0;

	do {
		digits[n++] = (char)('0' + v % 10);
	} while (v /= 10);
	while (n)
		*p++ = digits[--n];
	return p;
}

/* printf would cost more than all the rest. */
void demo_steps_id(
    const struct agent_turn *t, char *out, char prefix, int64_t number)
{
	*out++ = prefix;
	out = put_number(out, t->input->turn);
	*out++ = '-';
	*put_number(out, (uint64_t)number) = '\0';
}

static void demo_steps_begin(struct agent_turn *t, enum event_type type)
{
	event_begin(&t->draft, type, t->input->turn);
}

/* Events get ids that a new owner would generate again. */
static void begin_step(struct agent_turn *t, enum event_type type)
{
	demo_steps_begin(t, type);
	demo_steps_id(t, t->draft.id, 'e', t->at);
}

static void send(struct agent_turn *t)
{
	struct draft *d = &t->draft;

	if (t->at < t->n_lead || t->at + DEMO_STEPS_NOTED >= t->n_steps)
		talk_note(&t->talk, d->id, strlen(d->id), d->type,
		    clock_wall_us(), d->body.data, d->body.len);
	if (!t->sink->ops->emit(t->sink, d))
		t->is_full = true;
}

static void emit_user_input(struct agent_turn *t)
{
	agent_opening_user_input(&t->draft, t->input);
	demo_steps_id(t, t->draft.id, 'e', t->at);
	send(t);
}

static void emit_files_received(struct agent_turn *t)
{
	agent_opening_files_received(&t->draft, t->input);
	demo_steps_id(t, t->draft.id, 'e', t->at);
	send(t);
}

static void emit_llm_call(struct agent_turn *t)
{
	demo_steps_begin(t, EV_LLM_CALL);
	demo_steps_id(t, t->draft.id, 'l', 1);
	str(t, "model", t->agent->about.model);
	event_int(&t->draft, "iteration", 1);
	str(t, "status", "running");
	send(t);
}

static void emit_llm_result(struct agent_turn *t, int64_t n_tools)
{
	static const char usage[] =
	    "{\"input_tokens\":0,\"output_tokens\":0,"
	    "\"cached_tokens\":0,\"cache_write_tokens\":0,"
	    "\"total_tokens\":0,\"cost\":0}";

	demo_steps_begin(t, EV_LLM_RESULT);
	demo_steps_id(t, t->draft.id, 'l', 1);
	str(t, "model", t->agent->about.model);
	event_int(&t->draft, "duration_ms", 0);
	event_int(&t->draft, "tool_calls_count", n_tools);
	event_json(&t->draft, "usage", usage, sizeof usage - 1);
	str(t, "status", "success");
	send(t);
}

static void emit_assistant(struct agent_turn *t)
{
	demo_steps_begin(t, EV_ASSISTANT);
	demo_steps_id(t, t->draft.id, 'm', 1);
	event_str(
	    &t->draft, "content", t->script.answer.data, t->script.answer.len);
	send(t);
}

/* A tool step; number distinguishes the calls of a turn. */
struct call {
	char prefix;
	int64_t number;
	const char *name;
	size_t name_len;
	const char *args;
	size_t args_len;
	const char *result;
	size_t result_len;
	bool has_failed;
};

static void begin_tool(
    struct agent_turn *t, enum event_type type, const struct call *c)
{
	char id[EVENT_ID_MAX + 1];

	begin_step(t, type);
	demo_steps_id(t, id, c->prefix, c->number);
	str(t, "tool_id", id);
	event_str(&t->draft, "name", c->name, c->name_len);
	event_json(&t->draft, "args", c->args, c->args_len);
}

static void emit_tool_call(struct agent_turn *t, const struct call *c)
{
	begin_tool(t, EV_TOOL_CALL, c);
	str(t, "status", "running");
	send(t);
}

static void emit_tool_result(struct agent_turn *t, const struct call *c)
{
	begin_tool(t, EV_TOOL_RESULT, c);
	str(t, "status", c->has_failed ? "error" : "success");
	event_str(&t->draft, "result", c->result, c->result_len);
	event_int(&t->draft, "timing_ms", 0);
	send(t);
}

/* ---- the steps of each script ---- */

/* llm_call, llm_result, tool_call, tool_result, assistant */
static void step_tool(struct agent_turn *t, int64_t step)
{
	const struct script *s = &t->script;
	struct call c = {
	    .prefix = 'c',
	    .number = 1,
	    .name = s->tool,
	    .name_len = strlen(s->tool),
	    .args = s->args.data,
	    .args_len = s->args.len,
	    .result = s->found.data,
	    .result_len = s->found.len,
	    .has_failed = s->has_failed,
	};

	if (step == 0)
		emit_llm_call(t);
	else if (step == 1)
		emit_llm_result(t, 1);
	else if (step == 2)
		emit_tool_call(t, &c);
	else if (step == 3)
		emit_tool_result(t, &c);
	else
		emit_assistant(t);
}

/* llm_call, thinking ..., llm_result */
static void step_think(struct agent_turn *t, int64_t step)
{
	if (step == 0) {
		emit_llm_call(t);
		return;
	}
	if (step > t->script.count) {
		emit_llm_result(t, 0);
		return;
	}
	char text[40] = "Thought ";
	char *end = put_number(text + 8, (uint64_t)step);
	memcpy(end, " of ", 4);
	end = put_number(end + 4, (uint64_t)t->script.count);
	begin_step(t, EV_THINKING);
	event_str(&t->draft, "content", text, (size_t)(end - text));
	send(t);
}

/* tool_call, tool_result, ... */
static void step_stream(struct agent_turn *t, int64_t step)
{
	char args[64] = "{\"i\":";
	char *end = put_number(args + 5, (uint64_t)(step / 2));

	memcpy(end, ",\"n\":", 5);
	end = put_number(end + 5, (uint64_t)t->script.count);
	*end++ = '}';
	struct call c = {
	    .prefix = 's',
	    .number = step / 2,
	    .name = "step",
	    .name_len = 4,
	    .args = args,
	    .args_len = (size_t)(end - args),
	    .result = "ok",
	    .result_len = 2,
	};
	if (step % 2 == 0)
		emit_tool_call(t, &c);
	else
		emit_tool_result(t, &c);
}

/* ask_user */
static void step_ask(struct agent_turn *t)
{
	const struct script *s = &t->script;
	struct buf options = {0};

	buf_char(&options, '[');
	for (size_t i = 1; i < s->n_choices; i++) {
		buf_str(&options, i > 1 ? "," : "");
		buf_json(&options, s->choices[i].text, s->choices[i].len);
	}
	buf_char(&options, ']');
	begin_step(t, EV_ASK_USER);
	event_str(&t->draft, "question", s->choices[0].text, s->choices[0].len);
	event_str(&t->draft, "text", s->choices[0].text, s->choices[0].len);
	event_json(&t->draft, "options", options.data, options.len);
	event_bool(&t->draft, "multi_select", false);
	buf_fini(&options);
	send(t);
}

static bool is_approved(const struct agent_turn *t)
{
	struct json_doc doc = {0};
	struct json_error error;
	bool is_yes = false;
	const struct json *reply =
	    json_parse(&doc, t->reply.data, t->reply.len, 0, &error);

	if (json_is(reply, JSON_OBJECT))
		(void)json_bool(json_get(reply, "approved"), &is_yes);
	json_fini(&doc);
	return is_yes;
}

static void emit_approval_needed(struct agent_turn *t)
{
	struct buf text = {0};

	buf_str(&text, "The demo agent would like to use ");
	buf_append(&text, t->script.text, t->script.len);
	begin_step(t, EV_APPROVAL_NEEDED);
	event_str(&t->draft, "tool", t->script.text, t->script.len);
	event_json(&t->draft, "arguments", "{}", 2);
	event_str(&t->draft, "description", text.data, text.len);
	buf_fini(&text);
	send(t);
}

static void emit_tool_blocked(struct agent_turn *t)
{
	begin_step(t, EV_TOOL_BLOCKED);
	event_str(&t->draft, "tool", t->script.text, t->script.len);
	str(t, "reason", "rejected");
	str(t, "message", "The user did not approve it.");
	send(t);
}

/* tool_call, approval_needed, then tool_result or tool_blocked */
static void step_approve(struct agent_turn *t, int64_t step)
{
	struct call c = {
	    .prefix = 'c',
	    .number = 1,
	    .name = t->script.text,
	    .name_len = t->script.len,
	    .args = "{}",
	    .args_len = 2,
	    .result = "done",
	    .result_len = 4,
	};

	if (step == 0)
		emit_tool_call(t, &c);
	else if (step == 1)
		emit_approval_needed(t);
	else if (is_approved(t))
		emit_tool_result(t, &c);
	else
		emit_tool_blocked(t);
}

static void emit_plan_review(struct agent_turn *t)
{
	const struct script *s = &t->script;
	struct buf text = {0};

	for (size_t i = 0; i < s->n_choices; i++) {
		buf_printf(&text, "%s%zu. ", i ? "\n" : "", i + 1);
		buf_append(&text, s->choices[i].text, s->choices[i].len);
	}
	begin_step(t, EV_PLAN_REVIEW);
	event_str(&t->draft, "plan_content", text.data, text.len);
	buf_fini(&text);
	send(t);
}

/* plan_review, then the plan with one more step done each time */
static void step_plan(struct agent_turn *t, int64_t step)
{
	const struct script *s = &t->script;
	struct buf entries = {0};

	if (step == 0) {
		emit_plan_review(t);
		return;
	}
	for (size_t i = 0; i < s->n_choices; i++) {
		const char *status = (int64_t)i < step - 1    ? "completed"
				     : (int64_t)i == step - 1 ? "in_progress"
							      : "pending";
		buf_str(&entries, i ? ",{\"content\":" : "[{\"content\":");
		buf_json(&entries, s->choices[i].text, s->choices[i].len);
		buf_printf(&entries,
		    ",\"priority\":\"medium\",\"status\":\"%s\"}", status);
	}
	buf_char(&entries, ']');
	begin_step(t, EV_PLAN);
	event_json(&t->draft, "entries", entries.data, entries.len);
	buf_fini(&entries);
	send(t);
}

/* Events that no other script shows; pairs share their id. */
static const struct {
	enum event_type type;
	const char *id;
	const char *body;
} samples[] = {
    {EV_INTENT, "intent", "\"status\":\"analyzing\""},
    {EV_INTENT, "intent",
	"\"status\":\"understood\",\"ack\":\"Every event, then.\","
	"\"is_build\":false"},
    {EV_COMPACT, "compact", "\"status\":\"compacting\",\"context_percent\":90"},
    {EV_COMPACT, "compact",
	"\"status\":\"done\",\"context_before\":90,\"context_after\":40"},
    {EV_AGENT_IMAGE, "image",
	"\"image\":\"data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAAC"
	"AkQBADs=\""},
    {EV_CUSTOM, "progress", "\"type\":\"progress\",\"percent\":50"},
    {EV_EVAL, "eval", "\"status\":\"evaluating\""},
    {EV_EVAL, "eval",
	"\"status\":\"done\",\"passed\":true,\"summary\":\"All shown.\""},
};

#define SAMPLES ((int64_t)(sizeof samples / sizeof *samples))

static void step_events(struct agent_turn *t, int64_t step)
{
	struct draft *d = &t->draft;

	demo_steps_begin(t, samples[step].type);
	demo_steps_id(t, d->id, 'x', 1);
	strcat(d->id, "-");
	strcat(d->id, samples[step].id);
	buf_str(&d->body, samples[step].body);
	send(t);
}

int64_t demo_steps_count(const struct script *s)
{
	static const int64_t fixed[] = {[SCRIPT_TOOL] = 5,
	    [SCRIPT_ASK] = 1,
	    [SCRIPT_APPROVE] = 3,
	    [SCRIPT_EVENTS] = SAMPLES,
	    [SCRIPT_FAIL] = 0};

	if (s->kind == SCRIPT_THINK)
		return s->count + 2;
	if (s->kind == SCRIPT_STREAM)
		return s->count * 2;
	if (s->kind == SCRIPT_PLAN)
		return (int64_t)s->n_choices + 2;
	return fixed[s->kind];
}

static void script_step(struct agent_turn *t, int64_t step)
{
	switch (t->script.kind) {
	case SCRIPT_TOOL:
		step_tool(t, step);
		return;
	case SCRIPT_THINK:
		step_think(t, step);
		return;
	case SCRIPT_STREAM:
		step_stream(t, step);
		return;
	case SCRIPT_ASK:
		step_ask(t);
		return;
	case SCRIPT_APPROVE:
		step_approve(t, step);
		return;
	case SCRIPT_PLAN:
		step_plan(t, step);
		return;
	case SCRIPT_EVENTS:
		step_events(t, step);
		return;
	case SCRIPT_SAY:
	case SCRIPT_SLEEP:
	case SCRIPT_FAIL:
		return; /* these emit no events of their own */
	}
}

int64_t demo_steps_wait(const struct script *s)
{
	if (s->kind == SCRIPT_ASK || s->kind == SCRIPT_PLAN)
		return 1;
	return s->kind == SCRIPT_APPROVE ? 2 : 0;
}

void demo_steps_emit(struct agent_turn *t)
{
	if (t->at == 0)
		emit_user_input(t);
	else if (t->at < t->n_lead)
		emit_files_received(t);
	else
		script_step(t, t->at - t->n_lead);
}

/* ---- the answer ---- */

/* The user's reply as text: a string as it is, an array joined by ", ". */
static void add_reply(const struct agent_turn *t, struct buf *out)
{
	struct json_doc doc = {0};
	struct json_error error;
	struct buf scratch = {0};
	size_t len;
	const struct json *reply =
	    json_parse(&doc, t->reply.data, t->reply.len, 0, &error);
	bool is_array = json_is(reply, JSON_ARRAY);
	const struct json *v = is_array ? json_first(reply) : reply;

	for (bool is_first = true; v; is_first = false) {
		buf_str(out, is_first ? "" : ", ");
		buf_reset(&scratch);
		const char *text = json_str(v, &scratch, &len);
		if (!text)
			text = json_text(v, &len);
		buf_append(out, text, len);
		v = is_array ? json_next(v) : NULL;
	}
	buf_fini(&scratch);
	json_fini(&doc);
}

void demo_steps_answer(const struct agent_turn *t, struct buf *out)
{
	const struct script *s = &t->script;

	if (s->kind == SCRIPT_ASK) {
		buf_str(out, "You answered: ");
		add_reply(t, out);
	} else if (s->kind == SCRIPT_APPROVE) {
		buf_append(out, s->text, s->len);
		buf_str(out, is_approved(t) ? " was approved and ran."
					    : " was not approved.");
	} else if (s->kind == SCRIPT_PLAN) {
		buf_printf(
		    out, "All %zu steps are done. You said: ", s->n_choices);
		add_reply(t, out);
	} else {
		buf_append(out, s->answer.data, s->answer.len);
	}
	buf_append(out, t->later_text.data, t->later_text.len);
}

void demo_steps_end(struct agent_turn *t)
{
	const char *reason = t->is_interrupted		     ? "interrupted"
			     : t->script.kind == SCRIPT_FAIL ? "error"
							     : "natural";

	t->is_told = true;
	t->at = t->n_steps;
	begin_step(t, EV_TURN_RESULT);
	event_int(&t->draft, "turn", t->input->client_turn);
	str(t, "reason", reason);
	send(t);
}
