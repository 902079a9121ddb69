/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/json_peek.h"

#include "base/buf.h"
#include "t/unit/tap.h"

#include <string.h>

/* Each member as "key=value;", a string in quotes, a cut one with "...". */
static const char *members_of(const char *text)
{
	static struct buf out;
	struct json_peek p;
	struct json_peeked m;

	buf_reset(&out);
	json_peek_begin(&p, text, strlen(text));
	while (json_peek_next(&p, &m)) {
		buf_append(&out, m.key.text, m.key.len);
		buf_str(&out, m.is_string ? "=\"" : "=");
		buf_append(&out, m.value.text, m.value.len);
		buf_str(&out, m.is_cut ? "...;" : m.is_string ? "\";" : ";");
	}
	return buf_cstr(&out);
}

static void test_members(void)
{
	static const struct {
		const char *name, *text, *members;
	} cases[] = {
	    {"of a whole object", "{\"a\":1,\"b\":\"x\",\"c\":{\"d\":[]}}",
		"a=1;b=\"x\";c={\"d\":[]};"},
	    {"with spaces", " { \"a\" : \"x\" , \"b\" :\n[1, 2]\t}",
		"a=\"x\";b=[1, 2];"},
	    {"with brackets and quotes in strings",
		"{\"a\":[\"]\\\"}\"],\"b\":\"\\\\\",\"c\":2,",
		"a=[\"]\\\"}\"];b=\"\\\\\";c=2;"},
	    {"with a value that is cut", "{\"a\":1,\"b\":{\"c\":[1,",
		"a=1;b={\"c\":[1,...;"},
	    {"with a string that is cut", "{\"a\":\"xy", "a=\"xy...;"},
	    {"with a number that may go on", "{\"a\":12", "a=12...;"},
	    {"with a value that has not begun", "{\"a\": ", "a=...;"},
	    {"with a key that is cut", "{\"a\":1,\"b", "a=1;"},
	    {"with a key without a value", "{\"a\":1,\"b\"", "a=1;"},
	    {"of no object", "[\"a\",1]", ""},
	    {"of nothing", "", ""},
	    {"with a lone backslash", "{\"\\", ""},
	    {"with a bracket too many", "{\"a\":]1,\"b\":2", "a=;"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		is_str(members_of(cases[i].text), cases[i].members,
		    "members %s are read", cases[i].name);
}

int main(void)
{
	test_members();
	return done();
}
