/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agent/demo.h"

#include <stdlib.h>
#include <string.h>

#include "agent/script.h"
#include "agent/talk.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/list.h"
#include "base/mem.h"
#include "core/conf.h"
#include "net/loop.h"

/*
 * A turn is a fixed row of steps, each of which emits one event, so that its
 * place in the row (at) is all that a new owner must know: it counts the
 * recalled events. The row is: user_input, files_received if there are files,
 * the steps of the script, and then turn_result. Prompts that come meanwhile
 * are echoed between the steps.
 */

/* Steps taken in one go before others get their turn of the loop. */
#define STEPS_PER_TICK 1000

/* Steps at the end of the row whose events are noted in the conversation. */
#define STEPS_NOTED 90

/* Most bytes of later prompts that the answer repeats. */
#define LATER_MAX 65536

struct agent {
	struct agent_about about;
	struct loop *loop;
	size_t max_session_bytes;
};

/* A prompt that came while the turn ran and has not been echoed yet. */
struct later {
	struct list link;
	char *text;
	size_t len;
	size_t id_len;
	char id[EVENT_ID_MAX + 1];
};

struct agent_turn {
	struct agent *agent;
	const struct agent_input *input;
	struct agent_sink *sink;
	struct script script;
	struct talk talk;
	struct draft draft;
	struct loop_timer timer;
	struct list laters;
	struct buf later_text; /* what was said meanwhile, for the answer */
	struct buf reply;      /* the user's answer, JSON; empty: none yet */
	int64_t at;	       /* the next step */
	int64_t n_lead;	       /* steps before the script's */
	int64_t n_steps;       /* all steps */
	bool is_pumping;
	bool is_full;
	bool is_timing;
	bool is_time_up;
	bool is_interrupted;
	bool is_told; /* turn_result is out */
	bool is_over;
};

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

/* PREFIX TURN - NUMBER, unique in the session; printf would cost more than the
 * rest. */
static void make_id(
    const struct agent_turn *t, char *out, char prefix, int64_t number)
{
	*out++ = prefix;
	out = put_number(out, t->input->turn);
	*out++ = '-';
	*put_number(out, (uint64_t)number) = '\0';
}

static void begin(struct agent_turn *t, enum event_type type)
{
	event_begin(&t->draft, type, t->input->turn);
}

/* Events get ids that a new owner would make again. */
static void begin_step(struct agent_turn *t, enum event_type type)
{
	begin(t, type);
	make_id(t, t->draft.id, 'e', t->at);
}

static void send(struct agent_turn *t)
{
	struct draft *d = &t->draft;

	if (t->at < t->n_lead || t->at + STEPS_NOTED >= t->n_steps)
		talk_note(&t->talk, d->id, strlen(d->id), d->type,
		    clock_wall_us(), d->body.data, d->body.len);
	if (!t->sink->ops->emit(t->sink, d))
		t->is_full = true;
}

static void emit_user_input(struct agent_turn *t)
{
	begin_step(t, EV_USER_INPUT);
	event_str(&t->draft, "content", t->input->prompt, t->input->prompt_len);
	event_int(&t->draft, "turn", t->input->client_turn);
	send(t);
}

static void emit_files_received(struct agent_turn *t)
{
	struct buf files = {0};

	begin_step(t, EV_FILES_RECEIVED);
	for (size_t i = 0; i < t->input->n_files; i++) {
		buf_str(&files, i ? ",{\"name\":" : "[{\"name\":");
		buf_json_str(&files, t->input->files[i].name);
		buf_str(&files, ",\"path\":");
		buf_json_str(&files, t->input->files[i].path);
		buf_char(&files, '}');
	}
	buf_char(&files, ']');
	event_json(&t->draft, "files", files.data, files.len);
	buf_fini(&files);
	send(t);
}

static void emit_llm_call(struct agent_turn *t)
{
	begin(t, EV_LLM_CALL);
	make_id(t, t->draft.id, 'l', 1);
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

	begin(t, EV_LLM_RESULT);
	make_id(t, t->draft.id, 'l', 1);
	str(t, "model", t->agent->about.model);
	event_int(&t->draft, "duration_ms", 0);
	event_int(&t->draft, "tool_calls_count", n_tools);
	event_json(&t->draft, "usage", usage, sizeof usage - 1);
	str(t, "status", "success");
	send(t);
}

static void emit_assistant(struct agent_turn *t)
{
	begin(t, EV_ASSISTANT);
	make_id(t, t->draft.id, 'm', 1);
	event_str(
	    &t->draft, "content", t->script.answer.data, t->script.answer.len);
	send(t);
}

/* A tool step; number tells the calls of a turn apart. */
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
	make_id(t, id, c->prefix, c->number);
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

/* What no other script shows; pairs share their id. */
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

	begin(t, samples[step].type);
	make_id(t, d->id, 'x', 1);
	strcat(d->id, "-");
	strcat(d->id, samples[step].id);
	buf_str(&d->body, samples[step].body);
	send(t);
}

static int64_t script_steps(const struct script *s)
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
		return; /* these have no steps of their own */
	}
}

/* The script's step before which the turn waits for the user; 0: none. */
static int64_t script_waits_before(const struct script *s)
{
	if (s->kind == SCRIPT_ASK || s->kind == SCRIPT_PLAN)
		return 1;
	return s->kind == SCRIPT_APPROVE ? 2 : 0;
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

static void add_answer(const struct agent_turn *t, struct buf *out)
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

static void emit_turn_result(struct agent_turn *t)
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

static void fail(struct agent_turn *t)
{
	char *detail = mem_strndup(t->script.text, t->script.len);
	struct agent_sink *sink = t->sink;

	/* The script's text goes with the turn, which the sink may free. */
	sink->ops->fail(sink, REASON_FAILED, detail);
	free(detail);
}

/* The sink may free the turn: the caller returns at once. */
static void finish(struct agent_turn *t)
{
	struct buf result = {0}, session = {0};
	char answer_id[EVENT_ID_MAX + 1];

	make_id(t, answer_id, 'm', 1);
	if (t->is_interrupted)
		buf_str(&result, AGENT_INTERRUPTED_RESULT);
	else
		add_answer(t, &result);
	const struct talk_turn turn = {
	    .session_id = t->input->session_id,
	    .client_turn = t->input->client_turn,
	    .prompt = t->input->prompt,
	    .prompt_len = t->input->prompt_len,
	    .result = result.data,
	    .result_len = result.len,
	    .answer_id = answer_id,
	    .now_us = clock_wall_us(),
	};
	talk_render(&t->talk, &turn, &session);
	t->sink->ops->finish(t->sink, result.len ? result.data : "", result.len,
	    session.data, session.len);
	buf_fini(&result);
	buf_fini(&session);
}

/* The sink may free the turn: the caller returns at once. */
static void end(struct agent_turn *t)
{
	if (!t->is_told)
		emit_turn_result(t);
	t->is_over = true;
	loop_timer_stop(t->agent->loop, &t->timer);
	if (t->script.kind == SCRIPT_FAIL && !t->is_interrupted)
		fail(t);
	else
		finish(t);
}

/* ---- going through the row ---- */

static void free_later(struct later *l)
{
	list_remove(&l->link);
	free(l->text);
	free(l);
}

/* Echo what the user said meanwhile, under the id it was acknowledged with. */
static void echo_laters(struct agent_turn *t)
{
	struct list *link;

	while ((link = list_shift(&t->laters))) {
		struct later *l = list_entry(link, struct later, link);
		begin(t, EV_USER_INPUT);
		memcpy(t->draft.id, l->id, sizeof l->id);
		event_str(&t->draft, "content", l->text, l->len);
		event_int(&t->draft, "turn", t->input->client_turn);
		event_bool(&t->draft, "runtime_input", true);
		talk_note(&t->talk, l->id, l->id_len, EV_USER_INPUT,
		    clock_wall_us(), t->draft.body.data, t->draft.body.len);
		if (!t->sink->ops->emit(t->sink, &t->draft))
			t->is_full = true;
		free_later(l);
	}
}

static void set_timer(struct agent_turn *t, int64_t delay_ms)
{
	t->is_timing = true;
	loop_timer_set(t->agent->loop, &t->timer, delay_ms);
}

/* What is left of a sleep that began when the input was accepted. */
static int64_t sleep_left_ms(const struct agent_turn *t)
{
	int64_t passed_ms = (clock_wall_us() - t->input->started_us) / 1000;

	/* A wall clock that was set back must not make the sleep longer. */
	if (passed_ms < 0)
		passed_ms = 0;
	return passed_ms < t->script.pause_ms ? t->script.pause_ms - passed_ms
					      : 0;
}

/* Whether the next step must wait for time; then the timer is set. */
static bool must_wait(struct agent_turn *t)
{
	const struct script *s = &t->script;
	int64_t step = t->at - t->n_lead;

	if (t->is_timing)
		return true;
	if (t->is_time_up || step < 0)
		return false;
	if (s->kind == SCRIPT_SLEEP)
		set_timer(t, sleep_left_ms(t));
	else if (s->kind == SCRIPT_STREAM && s->pause_ms && step > 0 &&
		 step % 2 == 0 && t->at < t->n_steps)
		set_timer(t, s->pause_ms);
	return t->is_timing;
}

static bool must_ask(const struct agent_turn *t)
{
	int64_t step = t->at - t->n_lead;

	return step > 0 && step == script_waits_before(&t->script) &&
	       t->reply.len == 0;
}

static void take_step(struct agent_turn *t)
{
	if (t->at == 0)
		emit_user_input(t);
	else if (t->at < t->n_lead)
		emit_files_received(t);
	else
		script_step(t, t->at - t->n_lead);
	t->is_time_up = false;
	t->at++;
}

/* Go on as far as possible. May free the turn: the caller returns at once. */
static void pump(struct agent_turn *t)
{
	if (t->is_over || t->is_pumping)
		return;
	t->is_pumping = true;
	for (int n = 0;; n++) {
		if (t->at > 0)
			echo_laters(t);
		if (t->is_interrupted || t->is_told)
			break;
		if (t->is_full || must_wait(t) || must_ask(t)) {
			t->is_pumping = false;
			return;
		}
		if (t->at == t->n_steps)
			break;
		if (n == STEPS_PER_TICK) {
			set_timer(t, 0);
			t->is_pumping = false;
			return;
		}
		take_step(t);
	}
	t->is_pumping = false;
	end(t);
}

static void on_time(void *arg)
{
	struct agent_turn *t = arg;

	t->is_timing = false;
	t->is_time_up = true;
	pump(t);
}

/* ---- stimuli ---- */

static void hear_later(
    struct agent_turn *t, const struct event *ev, const char *text, size_t len)
{
	struct later *l = mem_zero(sizeof *l);

	l->id_len = ev->id_len < EVENT_ID_MAX ? ev->id_len : EVENT_ID_MAX;
	memcpy(l->id, ev->id, l->id_len);
	l->text = mem_strndup(text, len);
	l->len = len;
	list_append(&t->laters, &l->link);
	talk_heard(&t->talk, text, len);
	if (t->later_text.len + len > LATER_MAX)
		return;
	buf_str(&t->later_text, " You also said: ");
	buf_append(&t->later_text, text, len);
}

static void hear_answer(struct agent_turn *t, const struct json *answer)
{
	size_t len;

	if (!answer || !must_ask(t))
		return;
	const char *text = json_text(answer, &len);
	buf_append(&t->reply, text, len);
}

static void hear(struct agent_turn *t, const struct event *ev)
{
	struct json_doc doc = {0};
	struct buf text = {0}, scratch = {0};
	const struct json *fields = event_fields(ev, &doc, &text);
	size_t len;

	if (ev->type == EV_MORE_INPUT) {
		const char *prompt =
		    json_str(json_get(fields, "prompt"), &scratch, &len);
		if (prompt)
			hear_later(t, ev, prompt, len);
	} else if (ev->type == EV_ANSWER) {
		hear_answer(t, json_get(fields, "answer"));
	}
	buf_fini(&scratch);
	buf_fini(&text);
	json_fini(&doc);
}

/* Whether this user_input echoed a prompt that came meanwhile; it is then done.
 */
static bool was_later(struct agent_turn *t, const struct event *ev)
{
	list_each(link, &t->laters)
	{
		struct later *l = list_entry(link, struct later, link);
		if (l->id_len != ev->id_len ||
		    memcmp(l->id, ev->id, ev->id_len) != 0)
			continue;
		free_later(l);
		return true;
	}
	return false;
}

/*
 * Ids of make_id(.., 'e', ..) tell the step; a journal that is full has dropped
 * its oldest events, so counting alone would not do.
 */
static int64_t step_of(const struct agent_turn *t, const struct event *ev)
{
	char start[32];
	int64_t step = 0;

	make_id(t, start, 'e', 0);
	size_t n = strlen(start) - 1;
	if (ev->id_len <= n || memcmp(ev->id, start, n) != 0)
		return t->at;
	for (size_t i = n; i < ev->id_len; i++) {
		if (ev->id[i] < '0' || ev->id[i] > '9' || step > t->n_steps)
			return t->at;
		step = step * 10 + (ev->id[i] - '0');
	}
	return step < t->n_steps ? step : t->at;
}

static void recall_step(struct agent_turn *t, const struct event *ev)
{
	bool is_noted = true;

	if (ev->type == EV_TURN_RESULT) {
		t->is_told = true;
	} else if (ev->type != EV_USER_INPUT || !was_later(t, ev)) {
		t->at = step_of(t, ev);
		is_noted =
		    t->at < t->n_lead || t->at + STEPS_NOTED >= t->n_steps;
		t->at++;
	}
	if (is_noted)
		talk_note(&t->talk, ev->id, ev->id_len, ev->type, ev->time_us,
		    ev->body, ev->body_len);
}

/* ---- the kind ---- */

static struct agent *demo_open(const struct agent_setup *setup, struct err *err)
{
	struct agent *a = mem_zero(sizeof *a);

	(void)err; /* nothing can go wrong */
	demo_describe(&a->about);
	a->loop = setup->loop;
	a->max_session_bytes = (size_t)setup->conf->max_session;
	return a;
}

static void demo_close(struct agent **a)
{
	free(*a);
	*a = NULL;
}

static const struct agent_about *demo_about(const struct agent *a)
{
	return &a->about;
}

static struct agent_turn *demo_start(
    struct agent *a, const struct agent_input *input, struct agent_sink *sink)
{
	struct agent_turn *t = mem_zero(sizeof *t);

	t->agent = a;
	t->input = input;
	t->sink = sink;
	list_init(&t->laters);
	loop_timer_init(&t->timer, on_time, t);
	talk_init(
	    &t->talk, input->session, input->session_len, a->max_session_bytes);
	talk_heard(&t->talk, input->prompt, input->prompt_len);
	script_read(&t->script, input, &t->talk);
	t->n_lead = input->n_files ? 2 : 1;
	t->n_steps = t->n_lead + script_steps(&t->script);
	return t;
}

static void demo_recall(struct agent_turn *t, const struct event *ev)
{
	if (ev->type == EV_INTERRUPT)
		t->is_interrupted |= !t->is_told;
	else if (event_class(ev->type) == EVENT_CONTROL)
		hear(t, ev);
	else
		recall_step(t, ev);
}

static void demo_run(struct agent_turn *t)
{
	pump(t);
}

static void demo_deliver(struct agent_turn *t, const struct event *ev)
{
	if (ev->type == EV_INTERRUPT)
		t->is_interrupted = true;
	else
		hear(t, ev);
	pump(t);
}

static void demo_on_room(struct agent_turn *t)
{
	t->is_full = false;
	pump(t);
}

static void demo_free(struct agent_turn **turn)
{
	struct agent_turn *t = *turn;

	if (!t)
		return;
	loop_timer_stop(t->agent->loop, &t->timer);
	list_each_safe(link, &t->laters)
	    free_later(list_entry(link, struct later, link));
	script_fini(&t->script);
	talk_fini(&t->talk);
	event_fini(&t->draft);
	buf_fini(&t->later_text);
	buf_fini(&t->reply);
	free(t);
	*turn = NULL;
}

void demo_describe(struct agent_about *about)
{
	static const char *const tools[] = {
	    "calculate", "get_weather", "translate", "step", NULL};

	*about = (struct agent_about){
	    .name = "demo", .model = "demo", .tools = tools};
}

const struct agent_kind demo_kind = {
    .name = "demo",
    .flags = AGENT_EFFECT_FREE,
    .open = demo_open,
    .close = demo_close,
    .about = demo_about,
    .start = demo_start,
    .recall = demo_recall,
    .run = demo_run,
    .deliver = demo_deliver,
    .on_room = demo_on_room,
    .free = demo_free,
};
