/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include "base/buf.h"
#include "relay/scan.h"

#define ALL (SCAN_CUT_SESSION | SCAN_CUT_CONN | SCAN_CUT_PRIVATE)

/* Feed a text in pieces of so many bytes; 0: at once. */
static bool read_text(
    struct scan *s, const char *text, size_t len, size_t piece)
{
	scan_begin(s);
	for (size_t at = 0; at < len;) {
		size_t n = piece && piece < len - at ? piece : len - at;
		if (!scan_feed(s, text + at, n))
			return false;
		at += n;
	}
	return scan_end(s);
}

/* ---- what is an object ---- */

static const struct {
	const char *text;
	bool is_good;
} texts[] = {
    {"{}", true},
    {" \t\r\n{ } \n", true},
    {"{\"a\":1}", true},
    {"{\"a\" : [ ] , \"b\":{ } }", true},
    {"{\"a\":[1,-0,0.5,1e5,1E+5,2e-7,-12.25e10]}", true},
    {"{\"a\":[true,false,null,NaN,Infinity,-Infinity]}", true},
    {"{\"\\u00e9\\n\\\"\\\\\\/\\b\\f\\r\\t\":\"\\ud83d\\ude00\"}", true},
    {"{\"a\":{\"b\":[{\"c\":\"}\"}]}}", true},
    {"", false},
    {" ", false},
    {"[]", false},
    {"1", false},
    {"\"a\"", false},
    {"{", false},
    {"}", false},
    {"{}}", false},
    {"{}{}", false},
    {"{}x", false},
    {"{\"a\"}", false},
    {"{\"a\":}", false},
    {"{\"a\":1,}", false},
    {"{,\"a\":1}", false},
    {"{\"a\":1 \"b\":2}", false},
    {"{\"a\":[1,]}", false},
    {"{\"a\":[,1]}", false},
    {"{\"a\":[1}", false},
    {"{\"a\":{\"b\":1]}", false},
    {"{a:1}", false},
    {"{\"a\":'b'}", false},
    {"{\"a\":01}", false},
    {"{\"a\":1.}", false},
    {"{\"a\":.5}", false},
    {"{\"a\":+1}", false},
    {"{\"a\":1e}", false},
    {"{\"a\":1e+}", false},
    {"{\"a\":-}", false},
    {"{\"a\":-NaN}", false},
    {"{\"a\":tru}", false},
    {"{\"a\":truE}", false},
    {"{\"a\":nulll}", false},
    {"{\"a\":\"\\x\"}", false},
    {"{\"a\":\"\\u12g4\"}", false},
    {"{\"a\":\"\n\"}", false},
    {"{\"a\":\"b}", false},
    {"\xef\xbb\xbf{}", false},
};

static void test_objects(void)
{
	struct scan s;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		const char *text = texts[i].text;
		size_t len = strlen(text), right = 0;
		for (size_t piece = 0; piece < 4; piece++)
			right += read_text(&s, text, len, piece) ==
				     texts[i].is_good &&
				 !s.why == texts[i].is_good;
		is_int((long long)right, 4, "%s is %s, in pieces of any size",
		    text, texts[i].is_good ? "an object" : "no object");
	}
	ok(!read_text(&s, "{\"a\":\"\0\"}", 9, 0),
	    "a NUL in a text is no JSON");
}

/* Nested arrays, so deep, as the value of a member. */
static void put_nested(struct buf *out, size_t depth)
{
	buf_str(out, "{\"a\":");
	for (size_t i = 0; i < depth; i++)
		buf_char(out, '[');
	for (size_t i = 0; i < depth; i++)
		buf_char(out, ']');
	buf_char(out, '}');
}

static void put_digits(struct buf *out, size_t n)
{
	buf_str(out, "{\"a\":");
	for (size_t i = 0; i < n; i++)
		buf_char(out, '1');
	buf_char(out, '}');
}

static void test_limits(void)
{
	struct scan s;
	struct buf text = {0};

	put_nested(&text, SCAN_DEPTH - 1);
	ok(read_text(&s, text.data, text.len, 0), "%d levels are read",
	    SCAN_DEPTH);
	buf_reset(&text);
	put_nested(&text, SCAN_DEPTH);
	ok(!read_text(&s, text.data, text.len, 0), "one more level is refused");
	is_str(s.why, "it is nested too deeply",
	    "the refusal of a deep text says what is wrong");
	buf_reset(&text);
	put_digits(&text, SCAN_NUMBER);
	ok(read_text(&s, text.data, text.len, 0),
	    "a number of %d digits is read", SCAN_NUMBER);
	buf_reset(&text);
	put_digits(&text, SCAN_NUMBER + 1);
	ok(!read_text(&s, text.data, text.len, 0),
	    "a number with one more digit is refused");
	buf_reset(&text);
	buf_str(&text, "{");
	for (int i = 0; i < SCAN_CUTS + 1; i++)
		buf_printf(&text, "%s\"conn_id\":%d", i ? "," : "", i);
	buf_str(&text, "}");
	ok(!read_text(&s, text.data, text.len, 0),
	    "a frame that repeats conn_id too often is refused");
	buf_fini(&text);
}

/* ---- texts of the top level ---- */

static void test_texts(void)
{
	static const char text[] =
	    "{\"ty\\u0070e\":\"CONNECT\",\"to\":\"0x\\u0061b\","
	    "\"payload\":{\"type\":\"x\",\"to\":\"y\",\"conn_id\":\"z\"},"
	    "\"session_id\":\"\\ud83d\\ude00\\u00e9\\\"\",\"from\":[\"me\"],"
	    "\"other\":\"conn_id\"}";
	struct scan s;
	struct buf longer = {0};

	for (size_t piece = 0; piece < 3; piece++) {
		ok(read_text(&s, text, strlen(text), piece),
		    "a frame is read in pieces of %zu", piece);
		is_str(scan_text(&s, SCAN_TYPE), "CONNECT",
		    "a key with an escape counts, in pieces of %zu", piece);
		is_str(scan_text(&s, SCAN_TO), "0xab",
		    "a text is un-escaped, in pieces of %zu", piece);
		is_str(scan_text(&s, SCAN_SESSION_ID),
		    "\xf0\x9f\x98\x80\xc3\xa9\"",
		    "a pair of surrogates is one character, in pieces of %zu",
		    piece);
		is_str(scan_text(&s, SCAN_FROM), NULL,
		    "a list is no text, in pieces of %zu", piece);
		is_str(scan_text(&s, SCAN_CONN_ID), NULL,
		    "what is nested does not count, in pieces of %zu", piece);
	}
	ok(read_text(&s, "{\"type\":\"a\",\"type\":\"b\"}", 23, 0) &&
		strcmp(scan_text(&s, SCAN_TYPE), "b") == 0,
	    "the last of two members with one name counts");
	ok(read_text(&s, "{\"type\":\"a\",\"type\":1}", 21, 0) &&
		!scan_text(&s, SCAN_TYPE),
	    "a later member of another type hides a text");
	buf_str(&longer, "{\"type\":\"");
	for (int i = 0; i < SCAN_TEXT + 5; i++)
		buf_char(&longer, 'x');
	buf_str(&longer, "\"}");
	ok(read_text(&s, longer.data, longer.len, 0) &&
		s.texts[SCAN_TYPE].is_long &&
		s.texts[SCAN_TYPE].len == SCAN_TEXT,
	    "only the beginning of a long text is kept");
	buf_fini(&longer);
}

/* ---- cutting ---- */

static const struct {
	const char *text;
	unsigned which;
	const char *rest;
	bool has_members;
} cuts[] = {
    {"{}", ALL, "}", false},
    {"{\"a\":1}", ALL, "\"a\":1}", true},
    {"{\"conn_id\":\"c\"}", ALL, "}", false},
    {"{ \"conn_id\" : \"c\" }", ALL, "  }", false},
    {"{\"conn_id\":\"c\",\"a\":1}", ALL, "\"a\":1}", true},
    {"{\"a\":1,\"conn_id\":\"c\"}", ALL, "\"a\":1}", true},
    {"{\"a\":1, \"conn_id\" : {\"x\":[1]} , \"b\":2}", ALL,
	"\"a\":1 , \"b\":2}", true},
    {"{\"session_id\":\"s\", \"a\":1, \"conn_id\":\"c\"}", ALL, " \"a\":1}",
	true},
    {"{\"session_id\":\"s\", \"a\":1, \"conn_id\":\"c\"}", SCAN_CUT_CONN,
	"\"session_id\":\"s\", \"a\":1}", true},
    {"{\"session_id\":1,\"conn_id\":2,\"_relay_x\":3}", ALL, "}", false},
    {"{\"session_id\":1,\"conn_id\":2,\"_relay_x\":3,\"a\":4}", ALL, "\"a\":4}",
	true},
    {"{\"a\":0,\"session_id\":1,\"conn_id\":2,\"_relay_x\":3}", ALL, "\"a\":0}",
	true},
    {"{\"conn_id\":1,\"a\":0,\"conn_id\":2,\"b\":1,\"conn_id\":3}", ALL,
	"\"a\":0,\"b\":1}", true},
    {"{\"c\\u006fnn_id\":1,\"a\":0}", ALL, "\"a\":0}", true},
    {"{\"a\":{\"conn_id\":1},\"_relay_\":null}", ALL, "\"a\":{\"conn_id\":1}}",
	true},
    {"{\"a\":1.50,\"b\":\"\\u00e9\",\"session_id\":\"x\"}", ALL,
	"\"a\":1.50,\"b\":\"\\u00e9\"}", true},
};

static void test_cuts(void)
{
	struct scan s;

	for (size_t i = 0; i < sizeof(cuts) / sizeof(*cuts); i++) {
		struct buf text = {0};
		buf_str(&text, cuts[i].text);
		if (!read_text(&s, text.data, text.len, 1))
			abort();
		struct scan_rest rest =
		    scan_cut(&s, cuts[i].which, text.data, text.len);
		is_mem(text.data + rest.from, rest.end - rest.from,
		    cuts[i].rest, strlen(cuts[i].rest),
		    "members are cut out of %s", cuts[i].text);
		ok(rest.has_members == cuts[i].has_members,
		    "scan_cut() says whether members are left of %s",
		    cuts[i].text);
		buf_fini(&text);
	}
}

int main(void)
{
	test_objects();
	test_limits();
	test_texts();
	test_cuts();
	return done();
}
