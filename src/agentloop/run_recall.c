/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agentloop/run_int.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* ---- stimuli ---- */

static void hear_input(
    struct agent_turn *t, const struct event *ev, const struct json *prompt)
{
	struct buf scratch = {0};
	size_t len;
	const char *text = json_str(prompt, &scratch, &len);

	if (text && ev->id_len <= EVENT_ID_MAX) {
		struct run_input *in = mem_zero(sizeof *in + len + 1);
		memcpy(in->id, ev->id, ev->id_len);
		memcpy(in->text, text, len);
		in->len = len;
		list_append(&t->heard, &in->link);
	}
	buf_fini(&scratch);
}

void run_hear(struct agent_turn *t, const struct event *ev)
{
	struct json_doc doc = {0};
	struct buf text = {0};
	const struct json *v = event_fields(ev, &doc, &text);

	if (ev->type == EV_INTERRUPT)
		t->is_interrupted = true;
	else if (ev->type == EV_MORE_INPUT)
		hear_input(t, ev, json_get(v, "prompt"));
	else if (ev->type == EV_ANSWER)
		run_calls_answer(t, json_get(v, "answer"));
	json_fini(&doc);
	buf_fini(&text);
}

/* ---- what was said and done ---- */

/* The results belong before what follows them. */
static void fold_if_ended(struct agent_turn *t)
{
	for (size_t i = 0; i < t->n_calls; i++)
		if (t->calls[i].state != CALL_ENDED)
			return;
	if (t->n_calls)
		run_calls_fold(t);
}

static void recall_input(
    struct agent_turn *t, const struct event *ev, const struct json *content)
{
	struct buf scratch = {0};
	size_t len;
	const char *text = json_str(content, &scratch, &len);

	t->is_opened = true;
	list_each_safe(it, &t->heard)
	{
		struct run_input *in = list_entry(it, struct run_input, link);
		if (strlen(in->id) != ev->id_len ||
		    memcmp(in->id, ev->id, ev->id_len) != 0)
			continue;
		fold_if_ended(t);
		if (text)
			memory_add_user(&t->memory, text, len, "", 0);
		list_remove(it);
		free(in);
		t->n_joined++;
		break;
	}
	buf_fini(&scratch);
}

static void recall_call(struct agent_turn *t, const struct json *v)
{
	int64_t iteration;

	t->is_open = true;
	if (!json_int(json_get(v, "iteration"), &iteration))
		return;
	fold_if_ended(t);
	t->iteration = iteration;
	t->is_final = false;
	buf_reset(&t->said);
}

static void recall_usage(struct agent_turn *t, const struct json *v)
{
	const struct json *usage = json_get(v, "usage");
	int64_t n;
	double d;

	t->is_open = false;
	if (json_int(json_get(usage, "input_tokens"), &n))
		t->usage.input += n;
	if (json_int(json_get(usage, "output_tokens"), &n))
		t->usage.output += n;
	if (json_int(json_get(usage, "cached_tokens"), &n))
		t->usage.cached += n;
	if (json_double(json_get(usage, "cost"), &d))
		t->usage.cost += d;
	if (json_double(json_get(v, "context_percent"), &d))
		t->context_percent = d;
}

static void recall_text(struct buf *to, const struct json *v)
{
	struct buf scratch = {0};
	size_t len;
	const char *text = json_str(v, &scratch, &len);

	buf_reset(to);
	buf_append(to, text, text ? len : 0);
	buf_fini(&scratch);
}

static struct run_call *call_of(struct agent_turn *t, const struct json *id)
{
	struct buf scratch = {0};
	size_t len;
	const char *text = json_str(id, &scratch, &len);
	struct run_call *c = text ? run_calls_find(t, text, len) : NULL;

	buf_fini(&scratch);
	return c;
}

static void recall_checkpoint(struct agent_turn *t, const struct json *v)
{
	const struct json *calls = json_get(v, "calls");
	const struct json *started = json_get(v, "started");
	const struct json *summary = json_get(v, "summary");
	struct buf text = {0};
	size_t len;

	if (json_is(calls, JSON_ARRAY)) {
		const char *list = json_text(calls, &len);
		run_calls_open(t, list, len);
	}
	for (const struct json *s = json_first(started); s; s = json_next(s)) {
		struct run_call *c = call_of(t, s);
		if (c)
			c->is_marked = true;
	}
	if (json_is(summary, JSON_STRING)) {
		recall_text(&text, summary);
		fold_if_ended(t);
		run_compact_apply(t, text.data, text.len);
		t->compacted_at = t->iteration + 1;
	}
	buf_fini(&text);
}

static void recall_tool(
    struct agent_turn *t, const struct event *ev, const struct json *v)
{
	struct run_call *c = call_of(t, json_get(v, "tool_id"));

	if (!c)
		return;
	if (ev->type == EV_TOOL_CALL) {
		c->is_announced = true;
		c->began_us = clock_mono_us() - (clock_wall_us() - ev->time_us);
		return;
	}
	recall_text(&c->result, json_get(v, "result"));
	c->state = CALL_ENDED;
	c->is_told = true;
	if (t->asked == c)
		t->asked = NULL;
}

static void recall_question(
    struct agent_turn *t, enum event_type type, const struct json *v)
{
	struct run_call *c = call_of(t, json_get(v, "tool_call_id"));

	if (!c)
		return;
	c->state = type == EV_APPROVAL_NEEDED ? CALL_ASKED : CALL_RUNNING;
	t->asked = c;
}

static void recall_fields(
    struct agent_turn *t, const struct event *ev, const struct json *v)
{
	if (ev->type == EV_USER_INPUT)
		recall_input(t, ev, json_get(v, "content"));
	else if (ev->type == EV_LLM_CALL)
		recall_call(t, v);
	else if (ev->type == EV_LLM_RESULT)
		recall_usage(t, v);
	else if (ev->type == EV_ASSISTANT)
		recall_text(&t->said, json_get(v, "content"));
	else if (ev->type == EV_CHECKPOINT)
		recall_checkpoint(t, v);
	else if (ev->type == EV_TOOL_CALL || ev->type == EV_TOOL_RESULT)
		recall_tool(t, ev, v);
	else if (ev->type == EV_ASK_USER || ev->type == EV_PLAN_REVIEW ||
		 ev->type == EV_APPROVAL_NEEDED)
		recall_question(t, ev->type, v);
	else if (ev->type == EV_TURN_RESULT)
		recall_text(&t->told_reason, json_get(v, "reason"));
}

void run_recall(struct agent_turn *t, const struct event *ev)
{
	struct json_doc doc = {0};
	struct buf text = {0};

	if (ev->type == EV_START) {
		t->has_start = true;
	} else if (ev->type == EV_INTERRUPT || ev->type == EV_MORE_INPUT ||
		   ev->type == EV_ANSWER) {
		run_hear(t, ev);
	} else {
		t->is_told |= ev->type == EV_TURN_RESULT;
		if (run_is_of_trace(ev->type))
			memory_note(&t->memory, event_name(ev->type), ev->id,
			    ev->id_len, ev->time_us, ev->body, ev->body_len);
		recall_fields(t, ev, event_fields(ev, &doc, &text));
	}
	json_fini(&doc);
	buf_fini(&text);
}
