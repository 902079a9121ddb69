/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* The demo agent, with a sink and timers of our own. */
#include "demo/demo.h"
#include "demo/sums.h"
#include "base/json.h"
#include "net/loop.h"
#include "t/unit/fake_sink.h"
#include "t/unit/tap.h"

/* ---- timers that fire when the test says so ---- */

static struct loop_timer *timers[8];
static size_t n_timers;
static int64_t delay_ms; /* of the last one that was set */

void loop_timer_init(struct loop_timer *t, void (*on_time)(void *), void *arg)
{
	*t = (struct loop_timer){.on_time = on_time, .arg = arg};
}

void loop_timer_stop(struct loop *l, struct loop_timer *t)
{
	(void)l;
	for (size_t i = 0; i < n_timers; i++)
		if (timers[i] == t)
			timers[i] = timers[--n_timers];
}

void loop_timer_set(struct loop *l, struct loop_timer *t, int64_t ms)
{
	loop_timer_stop(l, t);
	delay_ms = ms;
	timers[n_timers++] = t;
}

static bool fire(void)
{
	if (!n_timers)
		return false;
	struct loop_timer *t = timers[--n_timers];
	t->on_time(t->arg);
	return true;
}

/* ---- turns ---- */

static struct agent *agent;

static void open_agent(void)
{
	struct agent_setup setup = {.spec = {.session_bytes = 8 << 20}};
	struct err err;

	agent = demo_kind.open(&setup, &err);
}

static struct agent_input input_of(const char *prompt, const char *session)
{
	return (struct agent_input){
	    .session_id = "s-1",
	    .turn = 3,
	    .client_turn = 2,
	    .started_us = clock_wall_us(),
	    .prompt = prompt,
	    .prompt_len = strlen(prompt),
	    .session = session,
	    .session_len = strlen(session),
	    .images = "[]",
	    .images_len = 2,
	};
}

static void stimulate(struct agent_turn *t, struct sink *s,
    enum event_type type, const char *id, const char *body, bool is_recalled)
{
	struct draft d = {0};
	struct sink scrap;

	event_begin(&d, type, 3);
	strcpy(d.id, id);
	buf_str(&d.body, body);
	sink_init(&scrap);
	sink_keep(s ? s : &scrap, &d);
	struct event ev = s ? s->events[s->n - 1].ev : scrap.events[0].ev;
	if (is_recalled)
		demo_kind.recall(t, &ev);
	else
		demo_kind.deliver(t, &ev);
	event_fini(&d);
	sink_fini(&scrap);
}

/* Run a turn to its end; stimuli that it waits for are given. */
static void finish_turn(struct agent_turn *t, struct sink *s, const char *body)
{
	while (!s->ends) {
		if (fire())
			continue;
		if (!body)
			return;
		stimulate(t, s, EV_ANSWER, "a-1", body, false);
		body = NULL;
	}
}

static void run(
    struct sink *s, const struct agent_input *in, const char *answer)
{
	struct agent_turn *t = demo_kind.start(agent, in, &s->base);

	demo_kind.run(t);
	finish_turn(t, s, answer);
	demo_kind.free(&t);
}

static bool is_text(struct buf *b, const char *text)
{
	bool is_same = strcmp(buf_cstr(b), text) == 0;

	if (!is_same)
		fprintf(stderr, "# got  %s\n# want %s\n", buf_cstr(b), text);
	return is_same;
}

/* ---- what the documents show ---- */

#define CONVERSATION(role, text) \
	"{\"messages\":[{\"role\":\"" role "\",\"content\":\"" text "\"}]}"

static void test_answers(void)
{
	static const struct {
		const char *prompt;
		const char *session;
		const char *answer;
	} cases[] = {
	    {"What is 42 * 17?", "{}", "The result of 42 * 17 is 714."},
	    {"Calculate 100 + 50", "{}", "The result is 150"},
	    {"Multiply that by 2",
		CONVERSATION("assistant", "The result is 150"),
		"The result is 300"},
	    {"Divide that by 4.",
		CONVERSATION("assistant", "The result of 5 * 2 is 10."),
		"The result is 2.5"},
	    {"Add 5 to that", CONVERSATION("assistant", "The result is -7"),
		"The result is -2"},
	    {"Multiply that by 2", "{}",
		"There is no earlier result to go on from."},
	    {"What is 1 / 0?", "{}", "1 / 0 is not defined."},
	    {"What's the weather in Seattle?", "{}",
		"Weather in Seattle: Sunny, 72°F"},
	    {"My name is John", "{}", "Nice to meet you, John!"},
	    {"What is my name?", CONVERSATION("user", "My name is John"),
		"Your name is John"},
	    {"What is my name?", "{}", "You have not told me your name."},
	    {"What is my name?", "[1,", "You have not told me your name."},
	    {"Translate hello to Spanish", "{}", "Hola"},
	    {"Translate rust to Klingon", "{}", "I cannot translate \"rust\"."},
	    {"echo  two  spaces ", "{}", " two  spaces "},
	    {"echo ", "{}", ""},
	    {"think 3", "{}", "I thought 3 times."},
	    {"stream 3", "{}", "Streamed 3 steps."},
	    {"stream 3 x", "{}", "You said: stream 3 x"},
	    {"stream 99999999999999999999", "{}",
		"You said: stream 99999999999999999999"},
	    {"sleep 5", "{}", "Slept 5 ms."},
	    {"sleep well", "{}", "You said: sleep well"},
	    {"Plan my trip", "{}", "You said: Plan my trip"},
	    {"events", "{}", "These were the other events."},
	    {"hello", "{}", "You said: hello"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sink s;
		struct agent_input in =
		    input_of(cases[i].prompt, cases[i].session);
		sink_init(&s);
		run(&s, &in, NULL);
		ok(s.ends == 1 && is_text(&s.result, cases[i].answer),
		    "'%s' is answered as documented", cases[i].prompt);
		sink_fini(&s);
	}
}

static void test_events(void)
{
	static const struct {
		const char *prompt;
		const char *answer;
		const char *names;
	} cases[] = {
	    {"echo x", NULL, "user_input turn_result"},
	    {"hello", NULL, "user_input turn_result"},
	    {"What is 2 + 2?", NULL,
		"user_input llm_call llm_result tool_call tool_result "
		"assistant turn_result"},
	    {"think 2", NULL,
		"user_input llm_call thinking thinking llm_result "
		"turn_result"},
	    {"stream 2", NULL,
		"user_input tool_call tool_result tool_call tool_result "
		"turn_result"},
	    {"stream 0", NULL, "user_input turn_result"},
	    {"sleep 10", NULL, "user_input turn_result"},
	    {"ask Which?|a|b", "\"kind\":\"ask_user\",\"answer\":\"a\"",
		"user_input ask_user answer turn_result"},
	    {"approve rm",
		"\"kind\":\"approval_needed\",\"answer\":{\"approved\":true}",
		"user_input tool_call approval_needed answer tool_result "
		"turn_result"},
	    {"approve rm",
		"\"kind\":\"approval_needed\",\"answer\":{\"approved\":false}",
		"user_input tool_call approval_needed answer tool_blocked "
		"turn_result"},
	    {"plan dig|build", "\"kind\":\"plan_review\",\"answer\":\"go\"",
		"user_input plan_review answer plan plan plan turn_result"},
	    {"fail now", NULL, "user_input turn_result"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sink s;
		struct agent_input in = input_of(cases[i].prompt, "{}");
		sink_init(&s);
		run(&s, &in, cases[i].answer);
		ok(s.ends == 1 && strcmp(sink_names(&s), cases[i].names) == 0,
		    "'%s' shows its events in order", cases[i].prompt);
		if (strcmp(sink_names(&s), cases[i].names) != 0)
			fprintf(stderr, "# %s\n", sink_names(&s));
		sink_fini(&s);
	}
}

static void test_replies(void)
{
	static const struct {
		const char *prompt;
		const char *answer;
		const char *result;
	} cases[] = {
	    {"ask Which?|a|b", "\"kind\":\"ask_user\",\"answer\":\"a\"",
		"You answered: a"},
	    {"ask Which?", "\"kind\":\"ask_user\",\"answer\":[\"a\",\"b\"]",
		"You answered: a, b"},
	    {"approve rm",
		"\"kind\":\"approval_needed\",\"answer\":{\"approved\":true}",
		"rm was approved and ran."},
	    {"approve rm",
		"\"kind\":\"approval_needed\",\"answer\":\"nonsense\"",
		"rm was not approved."},
	    {"plan a|b", "\"kind\":\"plan_review\",\"answer\":\"go on\"",
		"All 2 steps are done. You said: go on"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sink s;
		struct agent_input in = input_of(cases[i].prompt, "{}");
		sink_init(&s);
		run(&s, &in, cases[i].answer);
		ok(is_text(&s.result, cases[i].result),
		    "'%s' takes the user's answer", cases[i].prompt);
		sink_fini(&s);
	}
}

static void test_attachments(void)
{
	static const struct agent_file files[] = {
	    {"a.txt", "/x/a.txt", 5}, {"b \"q\".pdf", "/x/b.pdf", 70}};
	static const char images[] = "[\"data:image/png;base64,AAAAAAA=\"]";
	struct agent_input in = input_of("look", "{}");
	struct sink s;

	in.files = files;
	in.n_files = 2;
	in.images = images;
	in.images_len = sizeof images - 1;
	sink_init(&s);
	run(&s, &in, NULL);
	ok(is_text(&s.result,
	       "You said: look\nImage 1: image/png (5 bytes)\n"
	       "File a.txt (5 bytes)\nFile b \"q\".pdf (70 bytes)"),
	    "images and files are named with their sizes");
	ok(s.n == 3 && s.events[1].ev.type == EV_FILES_RECEIVED &&
		sink_has(&s, 1, "\"path\":\"/x/b.pdf\""),
	    "files are announced after the prompt");
	sink_fini(&s);
}

static void test_fail(void)
{
	struct agent_input in = input_of("fail disk on fire", "{}");
	struct sink s;

	sink_init(&s);
	run(&s, &in, NULL);
	ok(s.ends == 1 && s.has_failed && s.reason == REASON_FAILED &&
		is_text(&s.detail, "disk on fire"),
	    "fail TEXT fails with the text as detail");
	ok(sink_has(&s, 1, "\"reason\":\"error\""),
	    "a failing turn has an event with the reason");
	sink_fini(&s);
}

/* ---- going on after another owner ---- */

static bool is_event_same(const struct event *a, const struct event *b)
{
	return a->type == b->type && a->id_len == b->id_len &&
	       memcmp(a->id, b->id, a->id_len) == 0 &&
	       a->body_len == b->body_len &&
	       memcmp(a->body, b->body, a->body_len) == 0;
}

/*
 * Recall the first n of all events but those dropped, run, and compare the
 * rest.
 */
static bool goes_on(const struct sink *all, size_t dropped, size_t n,
    const struct agent_input *in, const char *answer, struct buf *result)
{
	struct sink s;
	bool has_answer = false;

	sink_init(&s);
	struct agent_turn *t = demo_kind.start(agent, in, &s.base);
	for (size_t i = dropped; i < n; i++) {
		has_answer |= all->events[i].ev.type == EV_ANSWER;
		demo_kind.recall(t, &all->events[i].ev);
	}
	demo_kind.run(t);
	finish_turn(t, &s, has_answer ? NULL : answer);
	demo_kind.free(&t);
	bool is_good = s.ends == 1 && s.n == all->n - n &&
		       is_text(&s.result, buf_cstr(result));
	for (size_t i = 0; is_good && i < s.n; i++)
		is_good =
		    is_event_same(&s.events[i].ev, &all->events[n + i].ev);
	sink_fini(&s);
	return is_good;
}

static void test_recall(void)
{
	static const struct {
		const char *prompt;
		const char *answer;
	} cases[] = {
	    {"echo x", NULL},
	    {"What is 6 * 7?", NULL},
	    {"think 3", NULL},
	    {"stream 5", NULL},
	    {"stream 3 10", NULL},
	    {"sleep 10", NULL},
	    {"ask Which?|a|b", "\"kind\":\"ask_user\",\"answer\":\"a\""},
	    {"approve rm",
		"\"kind\":\"approval_needed\",\"answer\":{\"approved\":true}"},
	    {"plan a|b", "\"kind\":\"plan_review\",\"answer\":\"go\""},
	    {"events", NULL},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct agent_input in = input_of(cases[i].prompt, "{}");
		struct sink all;
		size_t n;
		sink_init(&all);
		run(&all, &in, cases[i].answer);
		for (n = 0; n <= all.n; n++)
			if (!goes_on(
				&all, 0, n, &in, cases[i].answer, &all.result))
				break;
		ok(n == all.n + 1,
		    "'%s' goes on after any event, none lost and none twice",
		    cases[i].prompt);
		sink_fini(&all);
	}
}

static void test_dropped(void)
{
	static const char *const prompts[] = {"stream 40", "think 40"};

	for (size_t i = 0; i < 2; i++) {
		struct agent_input in = input_of(prompts[i], "{}");
		struct sink all;
		sink_init(&all);
		run(&all, &in, NULL);
		ok(goes_on(&all, 20, 30, &in, NULL, &all.result),
		    "'%s' goes on when its oldest events were dropped",
		    prompts[i]);
		sink_fini(&all);
	}
}

static void test_sleep(void)
{
	struct agent_input in = input_of("sleep 5000", "{}");
	struct sink s;

	sink_init(&s);
	in.started_us -= 4000000;
	struct agent_turn *t = demo_kind.start(agent, &in, &s.base);
	demo_kind.run(t);
	ok(delay_ms > 900 && delay_ms <= 1000 && !s.ends,
	    "a sleep that is taken over lasts what is left of it");
	demo_kind.free(&t);
	ok(n_timers == 0, "a freed turn leaves no timer");
	sink_fini(&s);
}

/* ---- stimuli ---- */

static void test_more_input(void)
{
	struct agent_input in = input_of("stream 3 10", "{}");
	struct sink s;

	sink_init(&s);
	struct agent_turn *t = demo_kind.start(agent, &in, &s.base);
	demo_kind.run(t);
	stimulate(
	    t, NULL, EV_MORE_INPUT, "more-1", "\"prompt\":\"faster\"", false);
	ok(s.n == 4 && s.events[3].ev.type == EV_USER_INPUT &&
		s.events[3].ev.id_len == 6 &&
		memcmp(s.events[3].ev.id, "more-1", 6) == 0 &&
		sink_has(&s, 3, "\"runtime_input\":true"),
	    "a later prompt is echoed at once under its own id");
	finish_turn(t, &s, NULL);
	demo_kind.free(&t);
	ok(is_text(&s.result, "Streamed 3 steps. You also said: faster"),
	    "the answer mentions the later prompt");
	ok(strcmp(sink_names(&s),
	       "user_input tool_call tool_result user_input tool_call "
	       "tool_result tool_call tool_result turn_result") == 0,
	    "a later prompt costs no step");
	sink_fini(&s);
}

static void test_more_input_recalled(void)
{
	struct agent_input in = input_of("stream 3 10", "{}");
	struct draft d = {0};
	struct sink s, old;

	sink_init(&s);
	sink_init(&old);
	struct agent_turn *t = demo_kind.start(agent, &in, &s.base);
	stimulate(t, NULL, EV_MORE_INPUT, "m-1", "\"prompt\":\"one\"", true);
	stimulate(t, NULL, EV_MORE_INPUT, "m-2", "\"prompt\":\"two\"", true);
	event_begin(&d, EV_USER_INPUT, 3);
	strcpy(d.id, "m-1");
	event_bool(&d, "runtime_input", true);
	sink_keep(&old, &d);
	event_fini(&d);
	demo_kind.recall(t, &old.events[0].ev);
	demo_kind.run(t);
	finish_turn(t, &s, NULL);
	demo_kind.free(&t);
	ok(strcmp(sink_names(&s),
	       "user_input user_input tool_call tool_result tool_call "
	       "tool_result tool_call tool_result turn_result") == 0 &&
		memcmp(s.events[1].ev.id, "m-2", 3) == 0,
	    "later prompts are echoed once across owners");
	sink_fini(&s);
	sink_fini(&old);
}

static void test_interrupt(void)
{
	static const char *const prompts[] = {
	    "sleep 60000", "stream 9 50", "ask Why?", "approve rm", "plan a|b"};

	for (size_t i = 0; i < sizeof prompts / sizeof *prompts; i++) {
		struct agent_input in = input_of(prompts[i], "{}");
		struct sink s;
		sink_init(&s);
		struct agent_turn *t = demo_kind.start(agent, &in, &s.base);
		demo_kind.run(t);
		stimulate(t, NULL, EV_INTERRUPT, "i", "", false);
		ok(s.ends == 1 &&
			is_text(&s.result, AGENT_INTERRUPTED_RESULT) &&
			sink_has(&s, s.n - 1, "\"reason\":\"interrupted\""),
		    "'%s' can be interrupted", prompts[i]);
		demo_kind.free(&t);
		sink_fini(&s);
	}
}

static void test_room(void)
{
	struct agent_input in = input_of("stream 50", "{}");
	struct sink s;

	sink_init(&s);
	s.room = 10;
	struct agent_turn *t = demo_kind.start(agent, &in, &s.base);
	demo_kind.run(t);
	ok(s.n == 10 && !s.ends, "a full sink stops the stream");
	while (!s.ends) {
		s.room = 7;
		demo_kind.on_room(t);
	}
	demo_kind.free(&t);
	ok(s.n == 102, "a stream that waited for room goes on to its end");
	sink_fini(&s);
}

/* ---- the conversation ---- */

static void converse(struct buf *session, const char *prompt)
{
	struct agent_input in = input_of(prompt, buf_cstr(session));
	struct sink s;

	sink_init(&s);
	run(&s, &in, NULL);
	buf_reset(session);
	buf_append(session, s.session.data, s.session.len);
	sink_fini(&s);
}

static size_t count_of(
    const struct json *list, const char *key, const char *value)
{
	size_t n = 0;

	for (const struct json *v = json_first(list); v; v = json_next(v))
		n += json_str_is(json_get(v, key), value);
	return n;
}

static void test_conversation(void)
{
	struct buf session = {0};
	struct json_doc doc = {0};
	struct json_error error;
	int64_t iteration = 0;

	buf_str(&session, "{\"title\":\"kept\",\"iteration\":4}");
	converse(&session, "hi \"you\"\n");
	const struct json *root = json_parse(
	    &doc, session.data, session.len, JSON_UNIQUE_KEYS, &error);
	ok(root != NULL, "the conversation is a JSON object");
	ok(json_str_is(json_get(root, "title"), "kept") &&
		json_str_is(json_get(root, "session_id"), "s-1") &&
		json_str_is(json_get(root, "user_prompt"), "hi \"you\"\n") &&
		json_int(json_get(root, "iteration"), &iteration) &&
		iteration == 5,
	    "a conversation has its own members and keeps all other ones");
	ok(json_count(json_get(root, "messages")) == 2 &&
		json_count(json_get(root, "trace")) == 2,
	    "a turn adds its messages and its trace");
	for (int i = 0; i < 60; i++)
		converse(&session, i % 10 ? "stream 20" : "think 200");
	root = json_parse(&doc, session.data, session.len, 0, &error);
	const struct json *messages = json_get(root, "messages");
	const struct json *trace = json_get(root, "trace");
	ok(json_count(messages) == 40 && json_count(trace) <= 100 &&
		json_count(trace) > 90,
	    "the conversation is bounded in messages and trace");
	ok(count_of(messages, "role", "user") ==
		count_of(trace, "type", "user_input"),
	    "each user message keeps its mark in the trace");
	buf_fini(&session);
	json_fini(&doc);
}

static void test_long_texts(void)
{
	struct buf session = {0}, prompt = {0};

	buf_str(&prompt, "echo ");
	for (int i = 0; i < 1 << 20; i++)
		buf_char(&prompt, '\1');
	for (int i = 0; i < 6; i++)
		converse(&session, buf_cstr(&prompt));
	ok(session.len < 8 << 20,
	    "long texts do not make a conversation too large");
	buf_fini(&session);
	buf_fini(&prompt);
}

static void test_sums(void)
{
	static const struct {
		const char *text;
		enum sums_outcome outcome;
		const char *value;
	} cases[] = {
	    {"1", SUMS_OK, "1"},
	    {"42 * 17", SUMS_OK, "714"},
	    {"2 + 3 * 4", SUMS_OK, "14"},
	    {"(2 + 3) * -4", SUMS_OK, "-20"},
	    {"10 / 4", SUMS_OK, "2.5"},
	    {"0.1 + 0.2", SUMS_OK, "0.3"},
	    {"-0", SUMS_OK, "0"},
	    {"1 / 0", SUMS_NOT_DEFINED, NULL},
	    {"1 +", SUMS_NOT_ONE, NULL},
	    {"", SUMS_NOT_ONE, NULL},
	    {"1 2", SUMS_NOT_ONE, NULL},
	    {"0x10", SUMS_NOT_ONE, NULL},
	    {"inf", SUMS_NOT_ONE, NULL},
	    {"1..2", SUMS_NOT_ONE, NULL},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		double value = 0;
		char text[SUMS_TEXT_SIZE] = "";
		enum sums_outcome got =
		    sums_eval(cases[i].text, strlen(cases[i].text), &value);
		if (got == SUMS_OK)
			sums_text(text, value);
		ok(got == cases[i].outcome &&
			(!cases[i].value || strcmp(text, cases[i].value) == 0),
		    "the sum '%s' is read as people read it", cases[i].text);
	}
	char deep[10001];
	double value;
	memset(deep, '(', sizeof deep - 1);
	deep[sizeof deep - 1] = '\0';
	ok(sums_eval(deep, sizeof deep - 1, &value) == SUMS_NOT_ONE,
	    "10,000 parentheses are refused");
}

static void test_exec(void)
{
	static const struct {
		const char *tool;
		const char *args;
		const char *result; /* NULL: it fails */
	} cases[] = {
	    {"calculate", "{\"expression\":\"42 * 17\"}", "714"},
	    {"get_weather", "{\"city\":\"Sydney\"}",
		"Weather in Sydney: Sunny, 72°F"},
	    {"translate", "{\"text\":\"hello\",\"to\":\"Spanish\"}", "Hola"},
	    {"step", "{\"i\":3}", "3"},
	    {"calculate", "{}", NULL},
	    {"calculate", "{\"expression\":\"two\"}", NULL},
	    {"calculate", "[]", NULL},
	    {"bash", "{}", NULL},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sink s;
		const struct agent_exec x = {
		    .session_id = "s",
		    .tool = cases[i].tool,
		    .args = cases[i].args,
		    .args_len = strlen(cases[i].args),
		};
		sink_init(&s);
		struct agent_turn *t = demo_kind.exec(agent, &x, &s.base);
		demo_kind.run(t);
		ok(s.ends == 1 && s.n == 0 &&
			s.has_failed == !cases[i].result &&
			(s.has_failed ||
			    strcmp(buf_cstr(&s.result), cases[i].result) == 0),
		    "%s of %s by itself: %s%s", cases[i].tool, cases[i].args,
		    buf_cstr(&s.result), buf_cstr(&s.detail));
		demo_kind.free(&t);
		sink_fini(&s);
	}
}

int main(void)
{
	open_agent();
	test_exec();
	test_answers();
	test_events();
	test_replies();
	test_attachments();
	test_fail();
	test_recall();
	test_dropped();
	test_sleep();
	test_more_input();
	test_more_input_recalled();
	test_interrupt();
	test_room();
	test_conversation();
	test_long_texts();
	test_sums();
	demo_kind.close(&agent);
	return done();
}
