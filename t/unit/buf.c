/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include "base/buf.h"

static void test_append(void)
{
	struct buf b = {0};
	size_t len;

	is_str(buf_cstr(&b), "", "an empty buf is an empty C string");
	buf_append(&b, NULL, 0);
	is_int((int64_t)b.len, 0, "appending nothing from NULL is harmless");
	buf_str(&b, "ab");
	buf_char(&b, '\0');
	buf_append(&b, "cd", 2);
	is_mem(b.data, b.len, "ab\0cd", 5, "a buf holds NUL bytes");
	buf_consume(&b, 3);
	is_str(buf_cstr(&b), "cd", "consuming removes the first bytes");
	buf_consume(&b, 2);
	is_int((int64_t)b.len, 0, "all bytes can be consumed");
	buf_str(&b, "given");
	char *s = buf_steal(&b, &len);
	is_str(s, "given", "stolen bytes are a C string");
	ok(len == 5 && !b.data && !b.len && !b.cap,
	    "a buf is empty after its bytes were stolen");
	free(s);
	s = buf_steal(&b, NULL);
	is_str(s, "", "stealing from an empty buf gives an empty string");
	free(s);
}

static void test_growth(void)
{
	struct buf b = {0};
	bool same = true;

	for (int i = 0; i < 100000; i++)
		buf_char(&b, (char)(i % 251));
	for (int i = 0; i < 100000; i++)
		same = same && b.data[i] == (char)(i % 251);
	ok(same && b.len == 100000, "bytes survive that the buf grows");
	size_t cap = b.cap;
	buf_reset(&b);
	ok(b.len == 0 && b.cap == cap, "a reset keeps the memory");
	char *room = buf_reserve(&b, 200000);
	memset(room, 'x', 200000);
	b.len += 200000;
	is_int((int64_t)b.len, 200000, "reserved room can be written to");
	buf_fini(&b);
	ok(!b.data && !b.cap, "a finished buf owns nothing");
}

static void test_numbers(void)
{
	static const struct {
		int64_t value;
		const char *text;
	} cases[] = {
	    {0, "0"},
	    {7, "7"},
	    {-10, "-10"},
	    {INT64_MAX, "9223372036854775807"},
	    {INT64_MIN, "-9223372036854775808"},
	};
	struct buf b = {0};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		buf_reset(&b);
		buf_int(&b, cases[i].value);
		is_str(buf_cstr(&b), cases[i].text, "%s is written as such",
		    cases[i].text);
	}
	buf_fini(&b);
}

static void test_printf(void)
{
	char text[301];
	struct buf b = {0};

	memset(text, 'y', 300);
	text[300] = '\0';
	buf_printf(&b, "%d-%s", 5, "five");
	is_str(buf_cstr(&b), "5-five", "buf_printf() appends a formatted text");
	buf_printf(&b, "<%s>", text);
	ok(b.len == 308 && b.data[307] == '>', "a long printf makes room");
	buf_fini(&b);
}

static void test_json(void)
{
	static const struct {
		const char *name;
		const char *in;
		size_t len;
		const char *out;
	} cases[] = {
	    {"empty text", "", 0, "\"\""},
	    {"plain text", "a/b", 3, "\"a/b\""},
	    {"a quote and a backslash", "\"\\", 2, "\"\\\"\\\\\""},
	    {"short escapes", "\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\""},
	    {"other controls", "\0\v\x1f", 3, "\"\\u0000\\u000b\\u001f\""},
	    {"DEL", "\x7f", 1, "\"\x7f\""},
	    {"UTF-8", "\xc3\xa9\xf0\x9f\x98\x80", 6,
		"\"\xc3\xa9\xf0\x9f\x98\x80\""},
	    {"a stray byte",
		"a\xff"
		"b",
		3,
		"\"a\xef\xbf\xbd"
		"b\""},
	    {"a cut character", "\xc3", 1, "\"\xef\xbf\xbd\""},
	    {"an overlong slash", "\xc0\xaf", 2,
		"\"\xef\xbf\xbd\xef\xbf\xbd\""},
	    {"a surrogate", "\xed\xa0\x80", 3,
		"\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
	};
	struct buf b = {0};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		buf_reset(&b);
		buf_json(&b, cases[i].in, cases[i].len);
		is_str(buf_cstr(&b), cases[i].out, "%s is valid JSON",
		    cases[i].name);
	}
	buf_reset(&b);
	buf_json_str(&b, NULL);
	buf_json_str(&b, "s");
	is_str(buf_cstr(&b), "null\"s\"", "NULL becomes null");
	buf_reset(&b);
	buf_json_or_null(&b, NULL, 0);
	buf_json_or_null(&b, "", 0);
	buf_json_or_null(&b, "st", 1);
	is_str(buf_cstr(&b), "null\"\"\"s\"",
	    "a text of no bytes is not the same as no text");
	buf_fini(&b);
}

static void consume_too_much(void *arg)
{
	buf_consume(arg, 4);
}

int main(void)
{
	struct buf b = {0};

	test_append();
	test_growth();
	test_numbers();
	test_printf();
	test_json();
	buf_str(&b, "abc");
	expect_panic(consume_too_much, &b, "consuming too much is a panic");
	buf_fini(&b);
	return done();
}
