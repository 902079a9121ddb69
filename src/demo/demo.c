/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "demo/demo.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "demo/demo_exec.h"
#include "demo/demo_steps.h"

#include <stdlib.h>
#include <string.h>

/* Steps executed in one tick before the loop serves others. */
#define STEPS_PER_TICK 1000

/* How many bytes of later prompts the answer repeats. */
#define LATER_MAX 65536

static void demo_fail(struct agent_turn *t)
{
	char *detail = mem_strndup(t->script.text, t->script.len);
	struct agent_sink *sink = t->sink;

	/* The script's text is freed with the turn, which the sink may free. */
	sink->ops->fail(sink, REASON_FAILED, detail);
	free(detail);
}

/* The sink may free the turn: the caller returns at once. */
static void demo_finish(struct agent_turn *t)
{
	struct buf result = {0}, session = {0};
	char answer_id[EVENT_ID_MAX + 1];

	demo_steps_id(t, answer_id, 'm', 1);
	if (t->is_interrupted)
		buf_str(&result, AGENT_INTERRUPTED_RESULT);
	else
		demo_steps_answer(t, &result);
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
static void demo_end(struct agent_turn *t)
{
	if (!t->is_told)
		demo_steps_end(t);
	t->is_over = true;
	loop_timer_stop(t->agent->loop, &t->timer);
	if (t->script.kind == SCRIPT_FAIL && !t->is_interrupted)
		demo_fail(t);
	else
		demo_finish(t);
}

/* ---- running the steps ---- */

static void free_later(struct later *l)
{
	list_remove(&l->link);
	free(l->text);
	free(l);
}

/*
 * Echo later prompts of the user, under the ids with which they were
 * acknowledged.
 */
static void echo_laters(struct agent_turn *t)
{
	struct list *link;

	while ((link = list_shift(&t->laters))) {
		struct later *l = list_entry(link, struct later, link);
		event_begin(&t->draft, EV_USER_INPUT, t->input->turn);
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

/* The remainder of a sleep that began when the input was accepted. */
static int64_t sleep_left_ms(const struct agent_turn *t)
{
	int64_t passed_ms = clock_expiry_ms() - t->input->started_us / 1000;

	/* A wall clock that was set back must not make the sleep longer. */
	if (passed_ms < 0)
		passed_ms = 0;
	return passed_ms < t->script.pause_ms ? t->script.pause_ms - passed_ms
					      : 0;
}

/* Whether the next step must wait; if so, the timer is set. */
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

	return step > 0 && step == demo_steps_wait(&t->script) &&
	       t->reply.len == 0;
}

static void take_step(struct agent_turn *t)
{
	demo_steps_emit(t);
	t->is_time_up = false;
	t->at++;
}

/*
 * Run steps as far as possible. May free the turn: the caller returns at once.
 */
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
	demo_end(t);
}

static void demo_on_time(void *arg)
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

static void demo_hear(struct agent_turn *t, const struct event *ev)
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

/*
 * Whether this user_input was the echo of a later prompt, which is then done.
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
 * Ids of demo_steps_id(.., 'e', ..) contain the step. Counting alone is not
 * enough, since a full journal has dropped its oldest events.
 */
static int64_t step_of(const struct agent_turn *t, const struct event *ev)
{
	char start[32];
	int64_t step = 0;

	demo_steps_id(t, start, 'e', 0);
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

/* Events of the server itself are not steps of ours. */
static bool is_step(const struct agent_turn *t, const struct event *ev)
{
	char start[32];

	if (ev->type != EV_TOOL_RESULT && ev->type != EV_INPUT_DROPPED)
		return true;
	demo_steps_id(t, start, 'e', 0);
	size_t n = strlen(start) - 1;
	return ev->id_len > n && memcmp(ev->id, start, n) == 0;
}

static void recall_step(struct agent_turn *t, const struct event *ev)
{
	bool is_noted = true;

	if (ev->type == EV_TURN_RESULT) {
		t->is_told = true;
	} else if (ev->type != EV_USER_INPUT || !was_later(t, ev)) {
		t->at = step_of(t, ev);
		is_noted =
		    t->at < t->n_lead || t->at + DEMO_STEPS_NOTED >= t->n_steps;
		t->at++;
	}
	if (is_noted)
		talk_note(&t->talk, ev->id, ev->id_len, ev->type, ev->time_us,
		    ev->body, ev->body_len);
}

/* ---- the kind ---- */

static void demo_describe(
    const struct agent_spec *spec, struct agent_about *about)
{
	static const char *const tools[] = {
	    "calculate", "get_weather", "translate", "step", NULL};

	(void)spec; /* demo agents do not differ */
	*about = (struct agent_about){
	    .name = "demo",
	    .model = "demo",
	    .tools = tools,
	    .examples = "[\"What is 42 * 17?\",\"stream 20 200\","
			"\"ask Which colour?|red|green|blue\","
			"\"approve shell\"]",
	};
}

static struct agent *demo_open(const struct agent_setup *setup, struct err *err)
{
	struct agent *a = mem_zero(sizeof *a);

	(void)err; /* nothing can fail */
	demo_describe(&setup->spec, &a->about);
	a->loop = setup->loop;
	a->max_session_bytes = (size_t)setup->spec.session_bytes;
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

static struct agent_turn *new_turn(struct agent *a, struct agent_sink *sink)
{
	struct agent_turn *t = mem_zero(sizeof *t);

	t->agent = a;
	t->sink = sink;
	list_init(&t->laters);
	loop_timer_init(&t->timer, demo_on_time, t);
	return t;
}

static struct agent_turn *demo_exec(
    struct agent *a, const struct agent_exec *x, struct agent_sink *sink)
{
	struct agent_turn *t = new_turn(a, sink);

	t->exec = x;
	return t;
}

static void run_exec(struct agent_turn *t)
{
	struct buf text = {0};

	t->is_over = true; /* the sink may free the turn */
	if (demo_exec_call(t->exec, &text))
		t->sink->ops->finish(t->sink, text.data, text.len, NULL, 0);
	else
		t->sink->ops->fail(t->sink, REASON_FAILED, buf_cstr(&text));
	buf_fini(&text);
}

static struct agent_turn *demo_start(
    struct agent *a, const struct agent_input *input, struct agent_sink *sink)
{
	struct agent_turn *t = new_turn(a, sink);

	t->input = input;
	talk_init(
	    &t->talk, input->session, input->session_len, a->max_session_bytes);
	talk_heard(&t->talk, input->prompt, input->prompt_len);
	script_read(&t->script, input, &t->talk);
	t->n_lead = input->n_files ? 2 : 1;
	t->n_steps = t->n_lead + demo_steps_count(&t->script);
	return t;
}

static void demo_recall(struct agent_turn *t, const struct event *ev)
{
	if (ev->type == EV_INTERRUPT)
		t->is_interrupted |= !t->is_told;
	else if (event_class(ev->type) == EVENT_CONTROL)
		demo_hear(t, ev);
	else if (is_step(t, ev))
		recall_step(t, ev);
}

static void demo_run(struct agent_turn *t)
{
	if (t->exec)
		run_exec(t);
	else
		pump(t);
}

static void demo_deliver(struct agent_turn *t, const struct event *ev)
{
	if (t->exec)
		return; /* a call takes no time */
	if (ev->type == EV_INTERRUPT)
		t->is_interrupted = true;
	else
		demo_hear(t, ev);
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

const struct agent_kind demo_kind = {
    .name = "demo",
    .prefix = "demo",
    .usage = "demo",
    .describe = demo_describe,
    .flags = AGENT_EFFECT_FREE,
    .open = demo_open,
    .close = demo_close,
    .about = demo_about,
    .start = demo_start,
    .exec = demo_exec,
    .recall = demo_recall,
    .run = demo_run,
    .deliver = demo_deliver,
    .on_room = demo_on_room,
    .free = demo_free,
};
