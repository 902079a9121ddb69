/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Events for clients of the agent server: the journal with every kind of event
 * against t/golden/agentserver; UPDATE_GOLDEN=1 writes it anew. And what
 * depends on earlier events, and times.
 */
#include "agentserver/as_event.h"

#include "base/json.h"
#include "t/unit/golden.h"
#include "t/unit/tap.h"

/* What the journal became. */
struct rendering {
	struct buf events;
	struct as_trail trail;
};

/* The kinds that a client knows without any module of a tool. */
static bool is_known(const struct json *kind)
{
	static const char *const kinds[] = {"MessageEvent", "ActionEvent",
	    "ObservationEvent", "AgentErrorEvent", "UserRejectObservation",
	    "PauseEvent", "ConversationErrorEvent",
	    "ConversationStateUpdateEvent"};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (json_str_is(kind, kinds[i]))
			return true;
	}
	return false;
}

static void render(const struct event *ev, void *arg)
{
	struct rendering *r = arg;
	size_t from = r->events.len;
	struct json_doc doc = {0};
	struct json_error error;

	as_event_put(&r->events, &r->trail, ev);
	const struct json *v = json_parse(&doc, r->events.data + from,
	    r->events.len - from, JSON_UNIQUE_KEYS, &error);
	ok(json_is(v, JSON_OBJECT) && json_get(v, "id") &&
		json_get(v, "timestamp") && json_get(v, "source") &&
		is_known(json_get(v, "kind")),
	    "event %d of the journal is one of a known kind", (int)ev->seq);
	json_fini(&doc);
	buf_char(&r->events, '\n');
}

static void test_golden(void)
{
	struct rendering r = {.trail = {.salt = 1}};
	struct buf golden = {0};

	golden_journal(render, &r);
	if (getenv("UPDATE_GOLDEN"))
		ok(golden_write(&r.events, "agentserver/events.jsonl"),
		    "the golden file is written");
	golden_read(&golden, "agentserver/events.jsonl");
	ok(golden.len > 0 && r.events.len == golden.len &&
		memcmp(r.events.data, golden.data, golden.len) == 0,
	    "the journal becomes agentserver/events.jsonl, byte for byte");
	buf_fini(&r.events);
	buf_fini(&golden);
}

static void put(struct buf *out, struct as_trail *trail, uint64_t seq,
    enum event_type type, const char *body)
{
	const struct event ev = {.seq = seq,
	    .turn = 1,
	    .type = type,
	    .id = "x",
	    .id_len = 1,
	    .body = body,
	    .body_len = strlen(body)};

	buf_reset(out);
	as_event_put(out, trail, &ev);
	buf_cstr(out);
}

static bool has(struct buf *out, const char *text)
{
	return strstr(buf_cstr(out), text) != NULL;
}

static void test_trail(void)
{
	struct as_trail trail = {.salt = 1};
	struct buf out = {0};

	put(&out, &trail, 1, EV_INPUT, "\"prompt\":\"p\"");
	put(&out, &trail, 2, EV_DONE, "\"result\":\"714\",\"duration_ms\":1");
	ok(has(&out, "\"MessageEvent\""), "a result is a message");
	put(&out, &trail, 3, EV_FAILED, "\"reason\":\"interrupted\"");
	ok(has(&out, "\"ConversationErrorEvent\""),
	    "a turn whose process died has failed");
	put(&out, &trail, 3, EV_INTERRUPT, "");
	put(&out, &trail, 4, EV_FAILED, "\"reason\":\"interrupted\"");
	ok(has(&out, "\"co_event\""), "a turn that was stopped has not failed");
	put(&out, &trail, 4, EV_INTERRUPT, "\"is_pause\":true");
	ok(has(&out, "\"PauseEvent\""), "a pause is a PauseEvent");
	put(&out, &trail, 5, EV_APPROVAL_NEEDED,
	    "\"tool\":\"shell\",\"arguments\":{}");
	put(&out, &trail, 6, EV_ANSWER,
	    "\"kind\":\"approval_needed\",\"answer\":{\"approved\":false,"
	    "\"feedback\":\"no\"},\"question\":5");
	ok(has(&out, "\"UserRejectObservation\"") &&
		has(&out, "\"tool_name\":\"shell\"") &&
		has(&out, "\"rejection_reason\":\"no\""),
	    "a rejection names its tool and reason");
	put(&out, &trail, 7, EV_TOOL_CALL,
	    "\"tool_id\":\"t\",\"name\":\"shell\"");
	put(&out, &trail, 8, EV_TOOL_RESULT,
	    "\"tool_id\":\"t\",\"name\":\"shell\",\"status\":\"error\"");
	ok(has(&out, "\"action_id\":\"00000000-0000-8000-8000-000000000007\""),
	    "an observation names the id of its action");
	ok(has(&out, "\"is_error\":true"), "a failed tool is an error");
	put(&out, &trail, 9, EV_CUSTOM, "\"type\":\"mine\",\"x\":1");
	ok(has(&out, "\"value\":{\"type\":\"mine\",\"x\":1}"),
	    "an event of the agent's own keeps its type");
	buf_fini(&out);
}

static void test_times(void)
{
	static const struct {
		const char *text;
		int64_t us; /* -1: refused */
	} cases[] = {
	    {"1970-01-01T00:00:01.000002", 1000002},
	    {"1970-01-01T00:00:01", 1000000},
	    {"1970-01-01T00:00:01.5Z", 1500000},
	    {"1970-01-01T00:00:01.5+00:00", 1500000},
	    {"1970-01-01T00:00:01.5+02:00", -1},
	    {"1970-01-01", -1},
	    {"", -1},
	};
	struct buf out = {0};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int64_t us = -1;
		bool is_time = as_event_read_time(
		    &us, cases[i].text, strlen(cases[i].text));
		is_int(is_time ? us : -1, cases[i].us, "the time '%s'",
		    cases[i].text);
	}
	as_event_put_time(&out, 1500000);
	is_str(buf_cstr(&out), "\"1970-01-01T00:00:01.500000\"",
	    "a time is written with microseconds and without a zone");
	buf_fini(&out);
}

int main(void)
{
	test_golden();
	test_trail();
	test_times();
	return done();
}
