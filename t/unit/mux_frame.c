/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* The frames of a process with many turns: numbers, types and heads. */
#include "agent/mux_frame.h"

#include <string.h>

#include "t/unit/tap.h"

static void test_split(void)
{
	static const struct {
		const char *line;
		const char *json; /* NULL: refused */
		uint64_t number;
	} cases[] = {
	    {"0 {}", "{}", 0},
	    {"1 {}", "{}", 1},
	    {"1 ", "", 1},
	    {"1  {}", " {}", 1},
	    {"1234567890123456789 x", "x", 1234567890123456789},
	    {"", NULL, 0},
	    {" {}", NULL, 0},
	    {"{}", NULL, 0},
	    {"12", NULL, 0},
	    {"1{}", NULL, 0},
	    {"01 {}", NULL, 0},
	    {"00 {}", NULL, 0},
	    {"-1 {}", NULL, 0},
	    {"+1 {}", NULL, 0},
	    {"1\t{}", NULL, 0},
	    {"12345678901234567890 {}", NULL, 0},
	    {"hello world", NULL, 0},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct mux_frame f = {0};
		bool is_frame =
		    mux_frame_split(&f, cases[i].line, strlen(cases[i].line));
		if (!cases[i].json) {
			ok(!is_frame, "'%s' is no frame", cases[i].line);
			continue;
		}
		ok(is_frame && f.number == cases[i].number &&
			f.len == strlen(cases[i].json) &&
			memcmp(f.json, cases[i].json, f.len) == 0,
		    "'%s' is split after its number", cases[i].line);
	}
}

static void test_types(void)
{
	static const struct {
		const char *json;
		enum mux_frame_type type;
	} cases[] = {
	    {"{\"type\":\"OUTPUT\",\"result\":\"x\"}", MUX_FRAME_END},
	    {"{\"type\": \"ERROR\", \"message\": \"x\"}", MUX_FRAME_END},
	    {"{\"result\":\"x\",\"type\":\"EXEC_RESULT\"}", MUX_FRAME_END},
	    {" {\"type\":\"OUTPUT\"}", MUX_FRAME_END},
	    {"{\"type\":\"OUT\\u0050UT\"}", MUX_FRAME_END},
	    {"{\"type\":\"LOST\",\"reason\":\"exited\"}", MUX_FRAME_LOST},
	    {"{\"type\":\"READY\"}", MUX_FRAME_READY},
	    {"{\"type\":\"RETIRE\",\"reason\":\"edited\"}", MUX_FRAME_RETIRE},
	    {"{\"type\":\"thinking\",\"content\":\"OUTPUT\"}", MUX_FRAME_LINE},
	    {"{\"type\":\"OUTPUT \"}", MUX_FRAME_LINE},
	    {"{\"type\":\"output\"}", MUX_FRAME_LINE},
	    {"{\"type\":\"\"}", MUX_FRAME_LINE},
	    {"{\"type\":7}", MUX_FRAME_LINE},
	    {"{\"kind\":\"OUTPUT\"}", MUX_FRAME_LINE},
	    {"{}", MUX_FRAME_LINE},
	    {"", MUX_FRAME_BAD},
	    {"[]", MUX_FRAME_BAD},
	    {"\"type\"", MUX_FRAME_BAD},
	    {"{\"type\":", MUX_FRAME_BAD},
	    {"{\"type\":\"OUTPUT", MUX_FRAME_BAD},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct json_doc doc = {0};
		struct mux_frame f = {
		    .json = cases[i].json, .len = strlen(cases[i].json)};
		ok(mux_frame_type(&f, &doc) == cases[i].type,
		    "'%s' has its type", cases[i].json);
		json_fini(&doc);
	}
}

static void test_heads(void)
{
	static const struct {
		uint64_t number;
		const char *head;
	} cases[] = {
	    {0, "0 "},
	    {9, "9 "},
	    {10, "10 "},
	    {1234567890123456789, "1234567890123456789 "},
	    {UINT64_MAX, "18446744073709551615 "},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char out[MUX_FRAME_HEAD];
		size_t n = mux_frame_head(out, cases[i].number);
		ok(n == strlen(cases[i].head) &&
			memcmp(out, cases[i].head, n) == 0,
		    "the head of a frame is '%s'", cases[i].head);
	}
}

int main(void)
{
	test_split();
	test_types();
	test_heads();
	return done();
}
