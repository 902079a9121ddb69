/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include "files/result_line.h"

static struct store_span span(const char *text)
{
	return (struct store_span){text, text ? strlen(text) : 0};
}

static struct record sample(enum record_status status)
{
	return (struct record){
	    .turn = 2,
	    .status = status,
	    .created_ms = 1702234567120,
	    .expires_ms = 1702320967005,
	    .duration_ms = status == RECORD_RUNNING ? -1 : 1250,
	    .id = span("550e8400"),
	    .caller = span(""),
	    .prompt = span("Translate\nhello"),
	    .result = span(status == RECORD_DONE ? "Hola" : NULL),
	};
}

static void is_line(const struct record *r, const char *talk, const char *want,
    const char *name)
{
	struct buf out = {0};
	result_line_write(&out, r, span(talk));
	is_str(buf_cstr(&out), want, "%s", name);
	buf_fini(&out);
}

#define TIMES "\"created\":1702234567.12,\"expires\":1702320967.005"

static void test_write(void)
{
	struct record r = sample(RECORD_RUNNING);
	is_line(&r, NULL,
	    "{\"session_id\":\"550e8400\",\"status\":\"running\","
	    "\"prompt\":\"Translate\\nhello\",\"result\":null,"
	    "\"session\":{\"session_id\":\"550e8400\"}," TIMES
	    ",\"duration_ms\":null}\n",
	    "a running turn has no result yet");
	r = sample(RECORD_DONE);
	is_line(&r, "{\"session_id\":\"550e8400\",\n\t\"turn\":2}",
	    "{\"session_id\":\"550e8400\",\"status\":\"done\","
	    "\"prompt\":\"Translate\\nhello\",\"result\":\"Hola\","
	    "\"session\":{\"session_id\":\"550e8400\",  \"turn\":2}," TIMES
	    ",\"duration_ms\":1250}\n",
	    "a result is one line, however the conversation was laid out");
	r.caller = span("0xab");
	is_line(&r, "{\"requester\":{\"address\":\"0xab\",\"level\":\"x\"}}",
	    "{\"session_id\":\"550e8400\",\"status\":\"done\","
	    "\"prompt\":\"Translate\\nhello\",\"result\":\"Hola\","
	    "\"session\":{\"requester\":{\"address\":\"0xab\","
	    "\"level\":\"x\"}}," TIMES ",\"duration_ms\":1250}\n",
	    "the requester stays when it is the owner");
	is_line(&r, "{\"requester\":{\"address\":\"0xcd\"},\"turn\":2}",
	    "{\"session_id\":\"550e8400\",\"status\":\"done\","
	    "\"prompt\":\"Translate\\nhello\",\"result\":\"Hola\","
	    "\"session\":{\"requester\":{\"address\":\"0xab\"},"
	    "\"turn\":2}," TIMES ",\"duration_ms\":1250}\n",
	    "the requester is replaced by the owner");
	r.caller = span("");
	is_line(&r, "{\"requester\":{\"address\":\"0xcd\"},\"turn\":2}",
	    "{\"session_id\":\"550e8400\",\"status\":\"done\","
	    "\"prompt\":\"Translate\\nhello\",\"result\":\"Hola\","
	    "\"session\":{\"requester\":null,\"turn\":2}," TIMES
	    ",\"duration_ms\":1250}\n",
	    "the requester is null where there is no owner");
}

static bool is_text(struct store_span s, const char *want)
{
	return !want ? !s.data
		     : s.data && s.len == strlen(want) &&
			   memcmp(s.data, want, s.len) == 0;
}

static void test_read_back(void)
{
	for (int i = 0; i < RECORD_STATUS_COUNT; i++) {
		struct record r = sample((enum record_status)i);
		struct result_line line = {.talk = {NULL, 0}};
		struct buf out = {0};
		r.caller = span("0xab");
		result_line_write(&out, &r,
		    span("{\"requester\":{\"address\":\"0xab\"},"
			 "\"turn\":9}"));
		ok(result_line_read(&line, out.data, out.len) &&
			line.record.status == r.status &&
			line.record.created_ms == r.created_ms &&
			line.record.expires_ms == r.expires_ms &&
			line.record.duration_ms == r.duration_ms &&
			line.record.client_turn == 9 &&
			is_text(line.record.id, "550e8400") &&
			is_text(line.record.caller, "0xab") &&
			is_text(line.record.prompt, "Translate\nhello") &&
			is_text(line.record.result,
			    r.status == RECORD_DONE ? "Hola" : NULL),
		    "what is written as %s is read again",
		    record_status_word(r.status));
		result_line_fini(&line);
		buf_fini(&out);
	}
}

struct line_case {
	const char *name, *text;
	bool is_good;
	enum record_status status;
};

static const struct line_case line_cases[] = {
    {"a short line of the document",
	"{\"session_id\":\"1\",\"prompt\":\"a\",\"status\":\"running\","
	"\"created\":1702234567,\"expires\":1702320967}",
	true, RECORD_RUNNING},
    {"a question that waits counts as running",
	"{\"session_id\":\"1\",\"status\":\"waiting_approval\"}", true,
	RECORD_RUNNING},
    {"fields of later versions do no harm",
	"{\"session_id\":\"1\",\"status\":\"done\",\"revision\":3,"
	"\"metadata\":{}}",
	true, RECORD_DONE},
    {"times that are none are not said",
	"{\"session_id\":\"1\",\"status\":\"done\",\"created\":1e400,"
	"\"expires\":\"x\",\"duration_ms\":-1}",
	true, RECORD_DONE},
    {"a session that is none",
	"{\"session_id\":\"1\",\"status\":\"failed\","
	"\"session\":[1]}",
	true, RECORD_FAILED},
    {"an unknown status", "{\"session_id\":\"1\",\"status\":\"x\"}", false, 0},
    {"no status", "{\"session_id\":\"1\"}", false, 0},
    {"no id", "{\"status\":\"done\"}", false, 0},
    {"an empty id", "{\"session_id\":\"\",\"status\":\"done\"}", false, 0},
    {"a number as id", "{\"session_id\":1,\"status\":\"done\"}", false, 0},
    {"a torn line", "{\"session_id\":\"1\",\"status\":\"do", false, 0},
    {"no object", "[1]", false, 0},
    {"nothing", "", false, 0},
};

static void test_read(void)
{
	struct result_line line = {.talk = {NULL, 0}};
	for (size_t i = 0; i < sizeof line_cases / sizeof *line_cases; i++) {
		const struct line_case *c = &line_cases[i];
		bool is_good =
		    result_line_read(&line, c->text, strlen(c->text));
		ok(is_good == c->is_good &&
			(!is_good || line.record.status == c->status),
		    "%s: %s", c->name, c->is_good ? "is read" : "is no record");
	}
	(void)result_line_read(
	    &line, line_cases[3].text, strlen(line_cases[3].text));
	ok(!line.record.created_ms && !line.record.expires_ms &&
		line.record.duration_ms == -1,
	    "what cannot be a time is none");
	result_line_fini(&line);
}

int main(void)
{
	test_write();
	test_read_back();
	test_read();
	return done();
}
