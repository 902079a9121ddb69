/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Events as ConnectOnion frames: one journal that holds every kind of event,
 * against the bytes it must become (t/golden). UPDATE_GOLDEN=1 writes them
 * anew.
 */
#include "door/chat_items.h"
#include "door/frame.h"

#include "base/json.h"
#include "base/mem.h"
#include "session/session.h"
#include "t/unit/golden.h"
#include "t/unit/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SESSION "s-1"

static void render(struct buf *out, const struct event *ev)
{
	static struct buf talk;
	struct session_record record = {0};

	if (!talk.data)
		golden_read(&talk, "record.json");
	record.conversation = talk.data;
	record.conversation_len = talk.len - 1; /* without the newline */
	if (event_class(ev->type) == EVENT_TERMINAL)
		frame_end(out, ev, SESSION, &record, "q-1");
	else if (!frame_event(out, ev, SESSION))
		return;
	buf_char(out, '\n');
}

static bool is_frame(const char *text, size_t len)
{
	struct json_doc doc = {0};
	struct json_error error;
	const struct json *v =
	    json_parse(&doc, text, len, JSON_UNIQUE_KEYS, &error);
	bool is_good = json_is(v, JSON_OBJECT) &&
		       json_is(json_get(v, "type"), JSON_STRING);

	json_fini(&doc);
	return is_good;
}

/* What the journal became. */
struct rendering {
	struct buf frames;
	struct buf rows;
	bool seen[EV_COUNT];
};

static void render_event(const struct event *ev, void *arg)
{
	struct rendering *r = arg;
	struct buf *out = &r->frames;
	size_t before = out->len;

	r->seen[ev->type] = true;
	render(out, ev);
	ok(out->len == before ||
		is_frame(out->data + before, out->len - before),
	    "event %d (%s) becomes one JSON object without double keys or none",
	    (int)ev->seq, event_name(ev->type));
	before = r->rows.len;
	frame_row(&r->rows, ev);
	ok(is_frame(r->rows.data + before, r->rows.len - before),
	    "event %d (%s) becomes one row without double keys", (int)ev->seq,
	    event_name(ev->type));
	buf_char(&r->rows, '\n');
}

/* Compare with a golden file, which is written anew if that is wanted. */
static void check_golden(
    const struct buf *made, const char *name, const char *title)
{
	struct buf golden = {0};

	if (getenv("UPDATE_GOLDEN"))
		ok(golden_write(made, name), "%s is written", name);
	golden_read(&golden, name);
	ok(golden.len > 0 && made->len == golden.len &&
		memcmp(made->data, golden.data, golden.len) == 0,
	    "%s", title);
	buf_fini(&golden);
}

static void test_golden(void)
{
	struct rendering r = {0};

	golden_journal(render_event, &r);
	check_golden(&r.frames, "oip/frames.jsonl",
	    "the journal becomes the golden frames, byte for byte");
	check_golden(&r.rows, "oip/rows.jsonl",
	    "the journal becomes the golden rows, byte for byte");
	for (int i = 0; i < EV_COUNT; i++)
		ok(r.seen[i], "the golden journal has %s",
		    event_name((enum event_type)i));
	buf_fini(&r.frames);
	buf_fini(&r.rows);
}

/* ---- bodies ---- */

static const struct body_case {
	const char *name;
	enum event_type type;
	const char *body;
	const char *frame;
} body_cases[] = {
    {"a body is copied as it is spelled", EV_THINKING,
	"\"content\":\"\\u0041\",\"n\":1.50e+01",
	"{\"type\":\"thinking\",\"content\":\"\\u0041\",\"n\":1.50e+01,"
	"\"id\":\"e\",\"ts\":1.000002,\"session_id\":\"s-1\"}"},
    {"an event without fields has none", EV_THINKING, "",
	"{\"type\":\"thinking\",\"id\":\"e\",\"ts\":1.000002,"
	"\"session_id\":\"s-1\"}"},
    {"an agent cannot name another session", EV_ASSISTANT,
	"\"content\":\"x\",\"session_id\":\"other\",\"ts\":0",
	"{\"type\":\"assistant\",\"content\":\"x\",\"id\":\"e\","
	"\"ts\":1.000002,\"session_id\":\"s-1\"}"},
    {"the members of nested objects stay", EV_TOOL_CALL,
	"\"tool_id\":\"t\",\"name\":\"n\",\"args\":{\"id\":1,\"type\":2}",
	"{\"type\":\"tool_call\",\"tool_id\":\"t\",\"name\":\"n\","
	"\"args\":{\"id\":1,\"type\":2},\"id\":\"e\",\"ts\":1.000002,"
	"\"session_id\":\"s-1\"}"},
    {"a question is told under both names", EV_ASK_USER,
	"\"question\":\"Q\",\"options\":[]",
	"{\"type\":\"ask_user\",\"question\":\"Q\",\"options\":[],"
	"\"text\":\"Q\",\"multi_select\":false,\"id\":\"e\",\"ts\":1.000002,"
	"\"session_id\":\"s-1\"}"},
    {"an agent's own event keeps its type", EV_CUSTOM,
	"\"n\":1,\"type\":\"mine\"",
	"{\"type\":\"mine\",\"n\":1,\"id\":\"e\",\"ts\":1.000002,"
	"\"session_id\":\"s-1\"}"},
    {"a prompt has no frame", EV_INPUT, "\"prompt\":\"p\"", ""},
    {"an end is no stream event", EV_DONE, "\"result\":\"r\"", ""},
};

static void test_bodies(void)
{
	struct buf out = {0};

	for (size_t i = 0; i < sizeof(body_cases) / sizeof(body_cases[0]);
	     i++) {
		const struct body_case *c = &body_cases[i];
		struct event ev = {
		    .type = c->type,
		    .time_us = 1000002,
		    .id = "e",
		    .id_len = 1,
		    .body = c->body,
		    .body_len = strlen(c->body),
		};
		buf_reset(&out);
		bool has_frame = frame_event(&out, &ev, SESSION);
		if (!ok(has_frame == (c->frame[0] != '\0') &&
			    strcmp(buf_cstr(&out), c->frame) == 0,
			"%s", c->name))
			printf("# %s\n", buf_cstr(&out));
	}
	buf_fini(&out);
}

/* ---- rows ---- */

static void test_rows(void)
{
	struct buf out = {0};
	struct event ev = {
	    .seq = 7,
	    .turn = 2,
	    .type = EV_CUSTOM,
	    .time_us = 1000002,
	    .id = "e",
	    .id_len = 1,
	    .body = "\"type\":\"mine\",\"pos\":1,\"turn\":\"x\",\"n\":1",
	};

	ev.body_len = strlen(ev.body);
	frame_row(&out, &ev);
	ok(strcmp(buf_cstr(&out),
	       "{\"pos\":7,\"turn\":2,\"type\":\"mine\",\"n\":1,"
	       "\"id\":\"e\",\"ts\":1.000002}") == 0,
	    "the position of a row is not the one its agent gives");
	buf_fini(&out);
}

/* ---- ends ---- */

static void test_ends(void)
{
	struct buf out = {0};
	struct event ev = {
	    .type = EV_DONE,
	    .turn = 1,
	    .body = "\"result\":\"\",\"duration_ms\":0",
	    .body_len = 27,
	};

	frame_end(&out, &ev, SESSION, NULL, NULL);
	ok(strcmp(buf_cstr(&out),
	       "{\"type\":\"OUTPUT\",\"result\":\"\",\"duration_ms\":0,"
	       "\"session_id\":\"s-1\",\"session\":{\"session_id\":\"s-1\"},"
	       "\"chat_items\":[]}") == 0,
	    "an OUTPUT without a record has a session with its id alone");
	buf_reset(&out);
	ev.type = EV_FAILED;
	ev.body = "\"reason\":\"killed\"";
	ev.body_len = 17;
	frame_end(&out, &ev, SESSION, NULL, "a\"b");
	ok(strcmp(buf_cstr(&out),
	       "{\"type\":\"ERROR\",\"code\":-32603,"
	       "\"message\":\"Unable to run agent\",\"reason\":\"killed\","
	       "\"session_id\":\"s-1\",\"input_id\":\"a\\\"b\"}") == 0,
	    "a failure is ERROR -32603 with a fixed reason");
	buf_fini(&out);
}

/* ---- chat items ---- */

static const struct chat_case {
	const char *name;
	const char *conversation;
	const char *items;
} chat_cases[] = {
    {"an empty conversation has no items", "{}", "[]"},
    {"a damaged conversation has no items", "{\"messages\":", "[]"},
    {"a conversation of wrong types has no items",
	"{\"messages\":5,\"trace\":\"x\"}", "[]"},
    {"messages of wrong types are passed over",
	"{\"messages\":[1,null,\"x\",{},{\"role\":1},{\"role\":\"assistant\","
	"\"content\":null}],\"trace\":[1,{\"type\":2}]}",
	"[]"},
    {"a user message has its index",
	"{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}",
	"[{\"type\":\"user\",\"id\":\"msg-0\",\"content\":\"a\"}]"},
    {"a trace without turns comes last",
	"{\"messages\":[{\"role\":\"assistant\",\"content\":\"b\"}],"
	"\"trace\":[{\"type\":\"thinking\",\"content\":\"c\"}]}",
	"[{\"type\":\"agent\",\"id\":\"msg-0\",\"content\":\"b\"},"
	"{\"type\":\"thinking\",\"id\":\"thinking-0\",\"status\":\"done\","
	"\"content\":\"c\"}]"},
    {"a runtime prompt that is no message opens no turn",
	"{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},"
	"{\"role\":\"user\",\"content\":\"b\"}],"
	"\"trace\":[{\"type\":\"user_input\"},"
	"{\"type\":\"user_input\",\"runtime_input\":true},"
	"{\"type\":\"user_input\"},"
	"{\"type\":\"thinking\",\"content\":\"c\"}]}",
	"[{\"type\":\"user\",\"id\":\"msg-0\",\"content\":\"a\"},"
	"{\"type\":\"user\",\"id\":\"msg-1\",\"content\":\"b\"},"
	"{\"type\":\"thinking\",\"id\":\"thinking-3\",\"status\":\"done\","
	"\"content\":\"c\"}]"},
    {"more messages than turns are all told",
	"{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},"
	"{\"role\":\"user\",\"content\":\"b\"}],"
	"\"trace\":[{\"type\":\"user_input\"}]}",
	"[{\"type\":\"user\",\"id\":\"msg-0\",\"content\":\"a\"},"
	"{\"type\":\"user\",\"id\":\"msg-1\",\"content\":\"b\"}]"},
};

static void test_chat_items(void)
{
	struct buf out = {0};

	for (size_t i = 0; i < sizeof(chat_cases) / sizeof(chat_cases[0]);
	     i++) {
		const struct chat_case *c = &chat_cases[i];
		buf_reset(&out);
		chat_items_put(&out, c->conversation, strlen(c->conversation));
		if (!ok(strcmp(buf_cstr(&out), c->items) == 0, "%s", c->name))
			printf("# %s\n", buf_cstr(&out));
	}
	buf_fini(&out);
}

int main(void)
{
	test_golden();
	test_bodies();
	test_rows();
	test_ends();
	test_chat_items();
	return done();
}
