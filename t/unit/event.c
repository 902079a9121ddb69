/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include "base/json.h"
#include "core/err.h"
#include "core/event.h"

/* A draft of what an agent sent; NULL when that was refused. */
static struct draft *take(struct draft *d, const char *text, struct err *err)
{
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *o = json_parse(&doc, text, strlen(text), 0, &why);
	int rc = o ? event_from_json(d, 3, o, err) : -2;

	json_fini(&doc);
	return rc == 0 ? d : NULL;
}

static void test_names(void)
{
	is_str(event_name(EV_TOOL_CALL), "tool_call", "a type has a name");
	is_int(event_class(EV_TOOL_CALL), EVENT_STREAM,
	    "an event type has a class");
	is_int(event_class(EV_ANSWER), EVENT_CONTROL,
	    "the class of a stimulus is control");
	is_int(event_class(EV_DONE), EVENT_TERMINAL,
	    "the class of an end is terminal");
	is_int(event_by_name("tool_call", 9), EV_TOOL_CALL,
	    "a type is found by its name");
	is_int(event_by_name("tool_calls", 9), EV_TOOL_CALL,
	    "the name of a type need not be terminated");
	is_int(event_by_name("tool_cal", 8), EV_CUSTOM,
	    "an unknown name is a custom event");
	is_int(
	    event_by_name("", 0), EV_CUSTOM, "an empty name is a custom event");
	is_int(event_by_name("done", 4), EV_CUSTOM,
	    "no name leads to an event of the host's own");
}

static void test_fields(void)
{
	struct draft d = {0};

	event_begin(&d, EV_TOOL_CALL, 7);
	event_str(&d, "tool_id", "t\"1", 3);
	event_str(&d, "name", "sh\nell", 6);
	event_json(&d, "args", "{\"a\":1}", 7);
	static const char want[] =
	    "\"tool_id\":\"t\\\"1\",\"name\":\"sh\\nell\","
	    "\"args\":{\"a\":1}";
	is_mem(d.body.data, d.body.len, want, sizeof want - 1,
	    "fields become members of an object");
	event_begin(&d, EV_ASK_USER, 7);
	is_int((int64_t)d.body.len, 0, "a draft can be used again");
	event_bool(&d, "multi_select", false);
	static const char bool_want[] = "\"multi_select\":false";
	is_mem(d.body.data, d.body.len, bool_want, sizeof bool_want - 1,
	    "a boolean is written");
	event_begin(&d, EV_DONE, 7);
	event_int(&d, "duration_ms", INT64_MIN);
	static const char int_want[] = "\"duration_ms\":-9223372036854775808";
	is_mem(d.body.data, d.body.len, int_want, sizeof int_want - 1,
	    "the smallest integer is written");
	event_begin(&d, EV_CUSTOM, 7);
	event_str(&d, "anything", "x", 1);
	ok(d.body.len > 0, "a custom event has any field");
	event_fini(&d);
	event_fini(&d);
	ok(!d.body.data, "a draft may be freed twice");
}

static void add_unknown(void *arg)
{
	struct draft d = {0};

	event_begin(&d, EV_THINKING, 1);
	event_str(&d, arg, "x", 1);
}

static void test_accepted(void)
{
	static const struct {
		const char *name;
		const char *text;
		enum event_type type;
		const char *id;
		const char *body;
	} rows[] = {
	    {"an event of the table is accepted",
		"{\"type\":\"thinking\",\"id\":\"e1\",\"content\":\"hm\"}",
		EV_THINKING, "e1", "\"content\":\"hm\""},
	    {"members are kept as they are spelled",
		"{\"content\" : \"\\u0041\" , \"type\":\"thinking\","
		"\"n\":1.50e3}",
		EV_THINKING, "", "\"content\":\"\\u0041\",\"n\":1.50e3"},
	    {"a type may be spelled with escapes",
		"{\"type\":\"think\\u0069ng\",\"content\":\"\"}", EV_THINKING,
		"", "\"content\":\"\""},
	    {"an unknown type keeps its name",
		"{\"type\":\"my_event\",\"x\":[1,{}]}", EV_CUSTOM, "",
		"\"type\":\"my_event\",\"x\":[1,{}]"},
	    {"what the host itself tells is left out",
		"{\"type\":\"thinking\",\"content\":\"a\",\"ts\":1,"
		"\"session_id\":\"s\",\"id\":null}",
		EV_THINKING, "", "\"content\":\"a\""},
	    {"an optional field may be null",
		"{\"type\":\"thinking\",\"content\":\"a\",\"kind\":null}",
		EV_THINKING, "", "\"content\":\"a\",\"kind\":null"},
	    {"a fraction is a number",
		"{\"type\":\"llm_result\",\"duration_ms\":1.5}", EV_LLM_RESULT,
		"", "\"duration_ms\":1.5"},
	};
	struct draft d = {0};
	struct err err = {.text = ""};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (!ok(take(&d, rows[i].text, &err), "%s", rows[i].name))
			continue;
		is_int(
		    d.type, rows[i].type, "%s: the type is kept", rows[i].name);
		is_int(d.turn, 3, "%s: the turn is kept", rows[i].name);
		is_str(d.id, rows[i].id, "%s: the id is kept", rows[i].name);
		is_mem(d.body.data, d.body.len, rows[i].body,
		    strlen(rows[i].body), "%s: the body is kept", rows[i].name);
	}
	event_fini(&d);
}

static void test_refused(void)
{
	static const struct {
		const char *text;
		const char *says;
	} rows[] = {
	    {"{}", "\"type\""},
	    {"{\"type\":7}", "\"type\""},
	    {"{\"type\":\"\"}", "\"type\""},
	    {"{\"type\":\"OUTPUT\"}", "small letter"},
	    {"{\"type\":\"_x\"}", "small letter"},
	    {"{\"type\":\"done\",\"result\":\"x\",\"duration_ms\":1}", "own"},
	    {"{\"type\":\"failed\"}", "own"},
	    {"{\"type\":\"input\",\"prompt\":\"x\"}", "own"},
	    {"{\"type\":\"thinking\"}", "content"},
	    {"{\"type\":\"thinking\",\"content\":null}", "content"},
	    {"{\"type\":\"thinking\",\"content\":1}", "content"},
	    {"{\"type\":\"ask_user\",\"question\":\"q\",\"multi_select\":1}",
		"multi_select"},
	    {"{\"type\":\"llm_call\",\"iteration\":1.5}", "iteration"},
	    {"{\"type\":\"llm_result\",\"duration_ms\":\"1\"}", "duration_ms"},
	    {"{\"type\":\"x\",\"id\":1}", "id"},
	    {"{\"type\":\"x\",\"id\":\"a\\u0000b\"}", "id"},
	};
	struct draft d = {0};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct err err = {.code = ERR_OK, .text = ""};

		ok(!take(&d, rows[i].text, &err), "an event is refused: %s",
		    rows[i].text);
		is_int(err.code, ERR_BAD_REQUEST,
		    "a refused event is a bad request");
		ok(strstr(err.text, rows[i].says),
		    "a refused event has the reason: %s", err.text);
	}
	event_fini(&d);
}

static void test_longest_id(void)
{
	char text[EVENT_ID_MAX + 64], id[EVENT_ID_MAX + 2];
	struct draft d = {0};
	struct err err;

	memset(id, 'i', sizeof id);
	(void)snprintf(text, sizeof text, "{\"type\":\"x\",\"id\":\"%.*s\"}",
	    EVENT_ID_MAX, id);
	ok(take(&d, text, &err), "an id of %d bytes is taken", EVENT_ID_MAX);
	is_int((int64_t)strlen(d.id), EVENT_ID_MAX,
	    "the longest id is kept whole");
	(void)snprintf(text, sizeof text, "{\"type\":\"x\",\"id\":\"%.*s\"}",
	    EVENT_ID_MAX + 1, id);
	ok(!take(&d, text, &err), "an id of one more byte is refused");
	event_fini(&d);
}

static void test_stored(void)
{
	struct draft d = {0};
	struct buf out = {0}, text = {0};
	struct json_doc doc = {0};
	struct event ev;

	event_begin(&d, EV_ASSISTANT, 4000000000u);
	(void)snprintf(d.id, sizeof d.id, "named");
	event_str(&d, "content", "hi", 2);
	buf_str(&out, "before");
	event_encode(&out, &d, 1700000000123456);
	ok(event_decode(&ev, out.data + 6, out.len - 6),
	    "a stored event is read back");
	is_int(ev.type, EV_ASSISTANT, "a stored event has its type");
	is_int(ev.turn, 4000000000u, "a stored event has its turn");
	is_int(ev.time_us, 1700000000123456, "a stored event has its time");
	is_mem(ev.id, ev.id_len, "named", 5, "a stored event has its id");
	is_mem(ev.body, ev.body_len, d.body.data, d.body.len,
	    "a stored event has its body");
	const struct json *fields = event_fields(&ev, &doc, &text);
	ok(json_str_is(json_get(fields, "content"), "hi"),
	    "the fields of a stored event can be read");
	ev.body_len = 0;
	ok(json_is(event_fields(&ev, &doc, &text), JSON_OBJECT),
	    "an event may have none");
	json_fini(&doc);
	buf_fini(&text);
	buf_fini(&out);
	event_fini(&d);
}

static void test_given_ids(void)
{
	struct draft a = {0}, b = {0};
	struct buf out = {0};
	char first[EVENT_ID_MAX + 1];

	event_begin(&a, EV_INTERRUPT, 1);
	event_begin(&b, EV_INTERRUPT, 1);
	event_encode(&out, &a, 1);
	event_encode(&out, &b, 1);
	ok(!strncmp(a.id, "ev-", 3), "a draft without an id gets one");
	ok(strcmp(a.id, b.id) != 0, "each draft without an id gets its own");
	memcpy(first, a.id, sizeof first);
	event_encode(&out, &a, 2);
	is_str(a.id, first, "a draft keeps the id that it got");
	buf_fini(&out);
	event_fini(&a);
	event_fini(&b);
}

/*
 * Whatever byte is changed, wherever it is cut: nobody takes it for an event.
 */
static void test_damage(void)
{
	struct draft d = {0};
	struct buf out = {0};
	struct event ev;
	int n_taken = 0;

	event_begin(&d, EV_THINKING, 1);
	event_str(&d, "content", "something to think about", 24);
	event_encode(&out, &d, 1);
	for (size_t i = 0; i < out.len; i++)
		for (int bit = 0; bit < 8; bit++) {
			out.data[i] = (char)(out.data[i] ^ (1 << bit));
			n_taken += event_decode(&ev, out.data, out.len);
			out.data[i] = (char)(out.data[i] ^ (1 << bit));
		}
	is_int(n_taken, 0, "a changed bit in a stored event is noticed");
	for (size_t n = 0; n < out.len; n++)
		n_taken += event_decode(&ev, out.data, n);
	is_int(n_taken, 0, "a cut in a stored event is noticed");
	buf_char(&out, 0);
	ok(!event_decode(&ev, out.data, out.len),
	    "a byte too many in a stored event is noticed");
	ok(event_decode(&ev, out.data, out.len - 1),
	    "an undamaged stored event is read");
	buf_fini(&out);
	event_fini(&d);
}

int main(void)
{
	char unknown[] = "no_such_field";

	test_names();
	test_fields();
	expect_panic(add_unknown, unknown,
	    "a field that the table does not know is our bug");
	test_accepted();
	test_refused();
	test_longest_id();
	test_stored();
	test_given_ids();
	test_damage();
	return done();
}
