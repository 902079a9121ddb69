/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agentloop/run_int.h"

#include "base/clock.h"
#include "base/json.h"
#include "core/stat.h"
#include "model/codec.h"
#include "model/completion.h"
#include "model/history.h"

#include <stdio.h>
#include <string.h>

/*
 * Pieces of an answer are shown in batches: after so long, or with so many
 * bytes.
 */
#define BATCH_MS 80
#define BATCH_BYTES 4096

#define MILLION 1e6

/* ---- slots ---- */

static void release_slot(struct agent_turn *t)
{
	if (!t->has_slot)
		return;
	t->has_slot = false;
	t->agent->n_asking--;
	stat_add(model_calls, -1);
	run_ask_next(t->agent);
}

static void leave_queue(struct agent_turn *t)
{
	if (list_is_empty(&t->link))
		return;
	list_remove(&t->link);
	stat_add(model_waiting, -1);
}

void run_ask_forget(struct agent_turn *t)
{
	leave_queue(t);
	model_call_forget(&t->asking);
	t->answer = NULL;
	loop_timer_stop(t->agent->loop, &t->batch);
	release_slot(t);
}

/* ---- showing the answer ---- */

static void ask_id(const struct agent_turn *t, char prefix, char *out)
{
	(void)snprintf(out, EVENT_ID_MAX, "%c%u-%lld",
	    t->is_compacting ? 'k' : prefix, t->input->turn,
	    (long long)t->iteration);
}

static void show_thinking(struct agent_turn *t, const struct completion *c)
{
	if (t->is_thought_told || !c->thinking.len)
		return;
	t->is_thought_told = true;
	run_begin(t, EV_THINKING);
	event_str(&t->draft, "content", c->thinking.data, c->thinking.len);
	run_str(t, "kind", "reasoning");
	run_emit(t);
}

/* A character that is not complete yet is shown with the next piece. */
static size_t whole_characters(const char *s, size_t len)
{
	size_t back = 0;

	while (back < 3 && back < len && (s[len - 1 - back] & 0xc0) == 0x80)
		back++;
	if (back == len || !(s[len - 1 - back] & 0x80))
		return len;
	unsigned char first = (unsigned char)s[len - 1 - back];
	size_t need = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
	return first >= 0xc0 && back + 1 < need ? len - back - 1 : len;
}

void run_ask_show(struct agent_turn *t)
{
	const struct completion *c = t->answer;

	if (!c || t->is_compacting || t->is_full || c->text.len <= t->n_shown)
		return;
	const char *text = c->text.data + t->n_shown;
	size_t len = whole_characters(text, c->text.len - t->n_shown);
	if (!len)
		return;
	show_thinking(t, c);
	run_begin(t, EV_ASSISTANT_DELTA);
	ask_id(t, 'm', t->draft.id);
	event_str(&t->draft, "content", text, len);
	t->n_shown += len;
	run_emit(t);
}

static void run_ask_on_more(void *arg, const struct completion *c)
{
	struct agent_turn *t = arg;

	t->answer = c;
	if (c->text.len - t->n_shown >= BATCH_BYTES) {
		loop_timer_stop(t->agent->loop, &t->batch);
		run_ask_show(t);
	} else if (c->text.len > t->n_shown && !t->is_compacting &&
		   !t->batch.heap_at) {
		loop_timer_set(t->agent->loop, &t->batch, BATCH_MS);
	}
}

/* ---- the end of it ---- */

static void take_usage(
    struct agent_turn *t, const struct completion *c, struct run_usage *now)
{
	const struct agent *a = t->agent;

	*now = (struct run_usage){.input = c->input_tokens,
	    .output = c->output_tokens,
	    .cached = c->cached_tokens};
	now->cost = ((double)(now->input - now->cached) * a->input_price +
			(double)now->cached * a->cached_price +
			(double)now->output * a->output_price) /
		    MILLION;
	t->usage.input += now->input;
	t->usage.output += now->output;
	t->usage.cached += now->cached;
	t->usage.cost += now->cost;
	int64_t tokens =
	    c->has_usage ? now->input + now->output : memory_tokens(&t->memory);
	t->context_percent = 100.0 * (double)tokens / (double)a->context_tokens;
}

/*
 * What clients are told of a failure: our own words, without what the provider
 * said, which may have parts of the key in it.
 */
static size_t public_part(const char *error)
{
	const char *quote = strstr(error, ": \"");

	return quote ? (size_t)(quote - error) : strlen(error);
}

static void put_result(struct agent_turn *t, const struct completion *c)
{
	struct buf usage = {0};
	struct run_usage now = {0};
	struct draft *d;
	bool is_good = c && c->status != COMPLETION_FAILED;

	if (is_good)
		take_usage(t, c, &now);
	d = run_begin(t, EV_LLM_RESULT);
	ask_id(t, 'l', d->id);
	run_str(t, "model", t->agent->about.model);
	event_int(d, "duration_ms", (clock_mono_us() - t->asked_us) / 1000);
	event_int(d, "tool_calls_count", is_good ? (int64_t)c->n_calls : 0);
	if (is_good) {
		char percent[32];
		run_put_usage(&usage, &now);
		event_json(d, "usage", usage.data, usage.len);
		(void)snprintf(
		    percent, sizeof percent, "%.1f", t->context_percent);
		event_json(d, "context_percent", percent, strlen(percent));
	}
	run_str(t, "status", is_good ? "success" : "error");
	if (t->failure.len)
		event_str(d, "error", t->failure.data,
		    public_part(buf_cstr(&t->failure)));
	run_emit(t);
	t->is_open = false;
	buf_fini(&usage);
}

void run_ask_close(struct agent_turn *t)
{
	if (t->is_open)
		put_result(t, NULL);
}

/* The calls as a message has them, as the model wrote them. */
static void put_calls(struct buf *out, const struct completion *c)
{
	buf_char(out, '[');
	for (size_t i = 0; i < c->n_calls; i++) {
		buf_str(out, i ? "," : "");
		run_calls_put(out, &c->calls[i]);
	}
	buf_char(out, ']');
}

static void keep_answer(struct agent_turn *t, const struct completion *c)
{
	struct buf calls = {0};

	buf_reset(&t->said);
	buf_append(&t->said, c->text.data, c->text.len);
	if (t->is_compacting)
		return;
	show_thinking(t, c);
	if (c->text.len) {
		run_begin(t, EV_ASSISTANT);
		ask_id(t, 'm', t->draft.id);
		event_str(&t->draft, "content", c->text.data, c->text.len);
		run_emit(t);
	}
	put_calls(&calls, c);
	run_begin(t, EV_CHECKPOINT);
	event_json(&t->draft, "calls", calls.data, calls.len);
	run_emit(t);
	run_calls_open(t, calls.data, calls.len);
	buf_fini(&calls);
}

static void run_ask_on_end(void *arg, const struct completion *c)
{
	struct agent_turn *t = arg;

	t->asking = NULL;
	t->answer = c;
	if (t->n_shown) /* else the whole follows at once */
		run_ask_show(t);
	t->answer = NULL;
	loop_timer_stop(t->agent->loop, &t->batch);
	release_slot(t);
	buf_reset(&t->failure);
	if (c->status == COMPLETION_FAILED) {
		stat_add(models_failed, 1);
		buf_str(&t->failure, c->error);
		t->is_context_full = c->is_context_full;
	} else if (c->status == COMPLETION_REFUSED && !c->text.len) {
		buf_str(&t->failure, "the provider withheld the answer");
	} else {
		keep_answer(t, c);
	}
	put_result(t, t->failure.len ? NULL : c);
	t->stage = RUN_ANSWERED;
	run_go(t);
}

static void run_ask_on_retry(void *arg, const char *why, int64_t delay_ms)
{
	struct agent_turn *t = arg;

	stat_add(model_retries, 1);
	run_log(
	    t, "model: %s; asked again in %lld ms", why, (long long)delay_ms);
}

/* ---- asking ---- */

static size_t list_tools(const struct agent_turn *t, struct model_tool *tools)
{
	if (t->is_compacting || t->agent->has_no_tools)
		return 0;
	size_t n = toolset_list(
	    &t->agent->tools, tools, TOOLSET_TOOLS - RUN_QUESTIONS);
	return n + run_question_list(t->agent, tools + n);
}

static void put_messages(const struct agent_turn *t, struct buf *out)
{
	struct json_doc doc = {0};
	struct json_error why;
	struct buf all = {0};

	if (t->is_compacting) {
		buf_append(out, t->brief.data, t->brief.len);
		return;
	}
	memory_put_messages(&t->memory, &all);
	history_write(out, json_parse(&doc, all.data, all.len, 0, &why));
	json_fini(&doc);
	buf_fini(&all);
}

static void start(struct agent_turn *t)
{
	static const struct model_call_ops ops = {
	    .on_more = run_ask_on_more,
	    .on_end = run_ask_on_end,
	    .on_retry = run_ask_on_retry,
	};
	static struct model_tool tools[TOOLSET_TOOLS];
	struct agent *a = t->agent;
	struct json_doc doc = {0};
	struct json_error why;
	struct buf messages = {0};

	put_messages(t, &messages);
	const struct model_request request = {
	    .model = a->provider.model,
	    .system = *a->system ? a->system : NULL,
	    .messages = json_parse(&doc, messages.data, messages.len, 0, &why),
	    .tools = tools,
	    .n_tools = list_tools(t, tools),
	    .temperature = a->temperature,
	    .max_tokens = a->max_tokens,
	    .has_max_completion_tokens = a->provider.is_openai,
	    .is_streamed = true,
	};
	t->has_slot = true;
	a->n_asking++;
	stat_add(model_calls, 1);
	stat_add(models_asked, 1);
	t->asking =
	    model_call_start(a->loop, a->fetch, &a->reach, &request, &ops, t);
	json_fini(&doc);
	buf_fini(&messages);
}

void run_ask_next(struct agent *a)
{
	while (a->n_asking < a->max_asking && !list_is_empty(&a->waiting)) {
		struct agent_turn *t =
		    list_entry(a->waiting.next, struct agent_turn, link);
		leave_queue(t);
		start(t);
	}
}

void run_ask(struct agent_turn *t)
{
	struct draft *d = run_begin(t, EV_LLM_CALL);

	t->stage = RUN_ASKING;
	t->asked_us = clock_mono_us();
	t->n_shown = 0;
	t->is_thought_told = t->is_final = false;
	t->is_open = true;
	ask_id(t, 'l', d->id);
	run_str(t, "model", t->agent->about.model);
	if (!t->is_compacting)
		event_int(d, "iteration", t->iteration);
	run_str(t, "status", "running");
	run_emit(t);
	list_append(&t->agent->waiting, &t->link);
	stat_add(model_waiting, 1);
	run_ask_next(t->agent);
}
