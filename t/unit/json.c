/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include <math.h>

#include "base/json.h"

#define N(a) (sizeof(a) / sizeof(*(a)))

static struct json_doc doc;
static struct json_error error;

static const struct json *parse(const char *text)
{
	return json_parse(&doc, text, strlen(text), 0, &error);
}

/* What CPython's json.loads says of each of these texts. */
static void test_cpython_errors(void)
{
	static const char value[] = "Expecting value";
	static const char name[] =
	    "Expecting property name enclosed in double quotes";
	static const char colon[] = "Expecting ':' delimiter";
	static const char comma[] = "Expecting ',' delimiter";
	static const char extra[] = "Extra data";
	static const char open[] = "Unterminated string starting at";
	static const char control[] = "Invalid control character at";
	static const char escape[] = "Invalid \\escape";
	static const char unicode[] = "Invalid \\uXXXX escape";
	static const char bom[] =
	    "Unexpected UTF-8 BOM (decode using utf-8-sig)";
	static const struct {
		const char *text;
		const char *message;
		int line, col, pos;
	} cases[] = {
	    {"", value, 1, 1, 0},
	    {" ", value, 1, 2, 1},
	    {"tru", value, 1, 1, 0},
	    {"-", value, 1, 1, 0},
	    {"-Infinity", value, 1, 1, 0},
	    {"[NaN]", value, 1, 2, 1},
	    {"[", value, 1, 2, 1},
	    {"[1,", value, 1, 4, 3},
	    {"[1,  ]", value, 1, 6, 5},
	    {"{\"a\":}", value, 1, 6, 5},
	    {"[1,,2]", value, 1, 4, 3},
	    {"{", name, 1, 2, 1},
	    {"{a:1}", name, 1, 2, 1},
	    {"{,}", name, 1, 2, 1},
	    {"{\"a\":1,  }", name, 1, 10, 9},
	    {"{\n  \"t\": 1,\n\n  x}", name, 4, 3, 15},
	    {"\n {\"\xc3\xa9\":1,\n\n  x}", name, 4, 3, 13},
	    {"{\"a\"", colon, 1, 5, 4},
	    {"{\"a\"  1}", colon, 1, 7, 6},
	    {"{\"a\":1", comma, 1, 7, 6},
	    {"{\"a\":1 \"b\"}", comma, 1, 8, 7},
	    {"[1", comma, 1, 3, 2},
	    {"[1}", comma, 1, 3, 2},
	    {"[1 2]", comma, 1, 4, 3},
	    {"01", extra, 1, 2, 1},
	    {"1.", extra, 1, 2, 1},
	    {"1e+", extra, 1, 2, 1},
	    {"{} x", extra, 1, 4, 3},
	    {"\"\xf0\x9f\x98\x80\" x", extra, 1, 5, 4},
	    {"\"abc", open, 1, 1, 0},
	    {"[\"abc\\", open, 1, 2, 1},
	    {"\"a\nb\"", control, 1, 3, 2},
	    {"\"\\q\"", escape, 1, 2, 1},
	    {"\"\\\xc3\xa9\"", escape, 1, 2, 1},
	    {"\"\\u12\"", unicode, 1, 3, 2},
	    {"\"\\u+123\"", unicode, 1, 3, 2},
	    {"\"abc\\u1234", unicode, 1, 6, 5},
	    {"\"\\ud800\\uZZZZ\"", unicode, 1, 9, 8},
	    {"\xef\xbb\xbf"
	     "1",
		bom, 1, 1, 0},
	};

	for (size_t i = 0; i < N(cases); i++) {
		ok(!parse(cases[i].text) &&
			!strcmp(error.message, cases[i].message) &&
			error.line == (size_t)cases[i].line &&
			error.col == (size_t)cases[i].col &&
			error.pos == (size_t)cases[i].pos,
		    "case %zu is refused: %s at %d", i + 1, cases[i].message,
		    cases[i].pos);
	}
}

/* A text of n times a. Valid until the next call. */
static const char *repeat(const char *a, size_t n)
{
	static struct buf b;

	buf_reset(&b);
	while (n--)
		buf_str(&b, a);
	return buf_cstr(&b);
}

static void refuse(const char *text, const char *message, size_t pos)
{
	ok(!parse(text) && !strcmp(error.message, message) && error.pos == pos,
	    "the answer is %s at %zu", message, pos);
}

static void test_own_limits(void)
{
	char nested[2 * JSON_MAX_DEPTH + 3];

	refuse("\"\xc0\x80\"", "Invalid UTF-8", 1);
	refuse("[\"a\xed\xa0\x80\"]", "Invalid UTF-8", 3);
	refuse("\"\xf0\x9f\x98", "Invalid UTF-8", 1);
	refuse(repeat("[", JSON_MAX_DEPTH + 1), "Nesting too deep",
	    JSON_MAX_DEPTH);
	memset(nested, '[', JSON_MAX_DEPTH);
	memset(nested + JSON_MAX_DEPTH, ']', JSON_MAX_DEPTH);
	nested[2 * JSON_MAX_DEPTH] = '\0';
	ok(parse(nested), "the deepest nesting is accepted");
	refuse(repeat("1", JSON_MAX_NUMBER + 1), "Number too long", 0);
	ok(parse(repeat("1", JSON_MAX_NUMBER)), "the longest number is fine");
	struct buf many = {0};
	buf_char(&many, '[');
	buf_str(&many, repeat("0,", JSON_MAX_VALUES));
	refuse(buf_cstr(&many), "Too many values", 2 * JSON_MAX_VALUES - 1);
	buf_fini(&many);
}

static bool is_unique(const char *text)
{
	return json_parse(&doc, text, strlen(text), JSON_UNIQUE_KEYS, &error);
}

static void test_unique_keys(void)
{
	struct buf b = {0};

	ok(parse("{\"a\":1,\"a\":2}"), "a doubled key is fine as such");
	ok(is_unique("[{\"a\":{\"a\":1}},{\"a\":2}]"),
	    "the same key in other objects is fine");
	ok(!is_unique("{\"a\":1, \"b\":2, \"a\":3}"), "a doubled key is seen");
	is_str(error.message, "Duplicate key",
	    "the error of a doubled key says so in its message");
	is_int((int64_t)error.pos, 15,
	    "the error of a doubled key says where it was found");
	ok(!is_unique("{\"a\":1,\"\\u0061\":3}"),
	    "escapes do not hide a doubled key");
	ok(is_unique("{\"\\ud800\":1,\"\\ufffd\":3}"),
	    "a lone surrogate is its own key");
	for (int i = 0; i < 100000; i++)
		buf_printf(&b, "%c\"%d\":0", i ? ',' : '{', i);
	buf_char(&b, '}');
	ok(is_unique(buf_cstr(&b)), "many keys take no quadratic time");
	b.len--;
	buf_str(&b, ",\"77\":1}");
	ok(!is_unique(buf_cstr(&b)), "one doubled of many is seen");
	is_int((int64_t)error.pos, (int64_t)b.len - 7,
	    "the error of one doubled key of many points at the later one");
	buf_fini(&b);
}

static void test_tree(void)
{
	size_t len;
	const struct json *v = parse(
	    " { \"a\" : [1 , -2.50e+3, \"x\\n\"],\"b\":{}, \"a\":null } ");

	is_int(json_type(v), JSON_OBJECT, "the root is an object");
	is_int((int64_t)json_count(v), 3, "the root object has three members");
	const struct json *a = json_first(v);
	ok(json_str_is(json_key(a), "a") && json_is(a, JSON_ARRAY),
	    "a member has key and value");
	const char *text = json_text(a, &len);
	is_mem(text, len, "[1 , -2.50e+3, \"x\\n\"]", 21,
	    "a text is exactly as it was");
	const struct json *n = json_next(json_first(a));
	text = json_text(n, &len);
	is_mem(text, len, "-2.50e+3", 8, "a number keeps its spelling");
	text = json_text(json_next(n), &len);
	is_mem(text, len, "\"x\\n\"", 5, "the text of a string has quotes");
	ok(!json_next(json_next(n)), "the last member has no next");
	ok(json_is(json_get(v, "a"), JSON_NULL),
	    "the last of two equal keys counts");
	ok(json_get(v, "b") && !json_first(json_get(v, "b")),
	    "an empty object has no first member");
	ok(!json_get(v, "c") && !json_get(a, "a"), "an absent key is NULL");
	ok(json_type(NULL) == JSON_NULL && !json_is(NULL, JSON_NULL) &&
		!json_get(NULL, "a") && !json_first(NULL) && !json_next(NULL) &&
		!json_key(NULL) && !json_count(NULL),
	    "an absent value is harmless");
}

static void test_strings(void)
{
	static const struct {
		const char *text;
		const char *bytes;
		size_t len;
	} cases[] = {
	    {"\"\"", "", 0},
	    {"\"plain text that is long\"", "plain text that is long", 23},
	    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", 8},
	    {"\"a\\u0000b\"", "a\0b", 3},
	    {"\"\\u00E9\\u20ac\"", "\xc3\xa9\xe2\x82\xac", 5},
	    {"\"\xc3\xa9\x7f\"", "\xc3\xa9\x7f", 3},
	    {"\"\\ud83d\\uDE00\"", "\xf0\x9f\x98\x80", 4},
	    {"\"\\ud83dx\"",
		"\xef\xbf\xbd"
		"x",
		4},
	    {"\"\\ude00\\ud83d\"", "\xef\xbf\xbd\xef\xbf\xbd", 6},
	    {"\"\\ud83d\\n\"", "\xef\xbf\xbd\n", 4},
	};
	struct buf scratch = {0};

	for (size_t i = 0; i < N(cases); i++) {
		size_t len;
		const struct json *v = parse(cases[i].text);
		const char *s = json_str(v, &scratch, &len);
		is_mem(s, len, cases[i].bytes, cases[i].len, "%s is un-escaped",
		    cases[i].text);
		char *copy = json_strdup(v);
		bool has_nul = strlen(cases[i].bytes) < cases[i].len;
		ok(has_nul ? !copy : copy && !strcmp(copy, cases[i].bytes),
		    "%s is %scopied", cases[i].text, has_nul ? "not " : "");
		is_int(json_str_is(v, cases[i].bytes), !has_nul,
		    "%s is %sthat C string", cases[i].text,
		    has_nul ? "not " : "");
		ok(!json_str_is(v, "other"), "%s is no other string",
		    cases[i].text);
		free(copy);
	}
	size_t len = 1;
	ok(!json_str(parse("1"), &scratch, &len) && !len,
	    "a number is not a string");
	ok(!json_strdup(doc.root) && !json_str_is(doc.root, "1"),
	    "a number is not copied or compared as a string");
	buf_fini(&scratch);
}

static void test_integers(void)
{
	static const struct {
		const char *text;
		bool is_int;
		int64_t value;
	} cases[] = {
	    {"0", true, 0},
	    {"-0", true, 0},
	    {"-17", true, -17},
	    {"9223372036854775807", true, INT64_MAX},
	    {"9223372036854775808", false, 0},
	    {"-9223372036854775808", true, INT64_MIN},
	    {"-9223372036854775809", false, 0},
	    {"99999999999999999999", false, 0},
	    {"1.0", false, 0},
	    {"1e2", false, 0},
	    {"\"1\"", false, 0},
	    {"true", false, 0},
	};

	for (size_t i = 0; i < N(cases); i++) {
		int64_t value = 0;
		bool is_int = json_int(parse(cases[i].text), &value);
		ok(is_int == cases[i].is_int && value == cases[i].value,
		    "%s is %sa 64-bit integer", cases[i].text,
		    cases[i].is_int ? "" : "not ");
	}
}

static void test_scalars(void)
{
	double d = 0;
	bool b = false;

	ok(json_double(parse("-2.5e-1"), &d) && d < -0.2499 && d > -0.2501,
	    "a number is a double");
	ok(json_double(parse("1e999"), &d) && isinf(d) && d > 0,
	    "a number out of range is infinite");
	ok(json_double(parse(repeat("9", 4300)), &d) && isinf(d),
	    "a number of 4300 digits is a double");
	ok(!json_double(parse("\"1\""), &d), "a string is not a double");
	ok(json_bool(parse("true"), &b) && b, "true is true");
	ok(json_bool(parse("false"), &b) && !b, "false is false");
	ok(!json_bool(parse("null"), &b), "null is no boolean");
}

static void test_canonical(void)
{
	static const struct {
		const char *name;
		unsigned form;
		const char *in;
		const char *out;
	} cases[] = {
	    {"spaces go, numbers stay", JSON_UTF8,
		" { \"b\" : [ 1.10 , 1E+2 ] , \"a\" : null } ",
		"{\"a\":null,\"b\":[1.10,1E+2]}"},
	    {"ASCII escapes what is not printable", JSON_ASCII,
		"\"\xc3\xa9\xf0\x9f\x98\x80\x7f\\/\\u001F\\u0008\"",
		"\"\\u00e9\\ud83d\\ude00\\u007f/\\u001f\\b\""},
	    {"UTF-8 escapes what it must", JSON_UTF8,
		"\"\\u00E9\\ud83d\\ude00\\u007f\\/\\u001F\\u0008\\u0022\"",
		"\"\xc3\xa9\xf0\x9f\x98\x80\x7f/\\u001f\\b\\\"\""},
	    {"a lone surrogate stays", JSON_UTF8, "\"\\uD83D\"", "\"\\ud83d\""},
	    {"shorter keys come first", JSON_UTF8,
		"{\"ab\":1,\"a\":2,\"\":3,\"B\":4}",
		"{\"\":3,\"B\":4,\"a\":2,\"ab\":1}"},
	    {"keys sort by character", JSON_UTF8,
		"{\"\xf0\x9f\x98\x80\":1,\"\xef\xbf\xbd\":2,\"\\u00e9\":3}",
		"{\"\xc3\xa9\":3,\"\xef\xbf\xbd\":2,\"\xf0\x9f\x98\x80\":1}"},
	    {"keys sort by UTF-16 unit", JSON_SCRIPT,
		"{\"\xef\xbf\xbd\":2,\"\xf0\x9f\x98\x80\":1}",
		"{\"\xf0\x9f\x98\x80\":1,\"\xef\xbf\xbd\":2}"},
	    {"a half pair sorts before its whole", JSON_SCRIPT,
		"{\"\\ud83d\\ude00\":1,\"\\ud83d!\":2,\"\\ud83d\":3,"
		"\"\\ud83d\\uffff\":4}",
		"{\"\\ud83d\":3,\"\\ud83d!\":2,\"\xf0\x9f\x98\x80\":1,"
		"\"\\ud83d\xef\xbf\xbf\":4}"},
	    {"array indexes come first in JavaScript", JSON_SCRIPT,
		"{\"!\":1,\"10\":2,\"9\":3,\"01\":4,\"4294967295\":5,"
		"\"4294967294\":6,\"\\u0030\":7,\"-1\":8,\"\":9}",
		"{\"0\":7,\"9\":3,\"10\":2,\"4294967294\":6,\"\":9,\"!\":1,"
		"\"-1\":8,\"01\":4,\"4294967295\":5}"},
	    {"Python prints what it read", JSON_PYTHON,
		"[-0,-0.0,1.10,1E2,1e-7,1e16,9007199254740993,"
		"18446744073709551617,1e22,0.1e1]",
		"[0,-0.0,1.1,100.0,1e-07,1e+16,9007199254740993,"
		"18446744073709551617,1e+22,1.0]"},
	    {"only the root is sorted", JSON_TOP,
		"{\"b\":{\"z\":1,\"a\":[{\"d\":1,\"c\":2}]},\"a\":0}",
		"{\"a\":0,\"b\":{\"z\":1,\"a\":[{\"d\":1,\"c\":2}]}}"},
	    {"spaces stand after commas and colons", JSON_SPACED,
		"{\"b\":[1,{}, 2],\"a\":{\"c\":[]}}",
		"{\"a\": {\"c\": []}, \"b\": [1, {}, 2]}"},
	    {"the last of several doubled keys counts", JSON_ASCII,
		"{\"z\":0,\"a\":1,\"\\u0061\":2,\"a\":3}", "{\"a\":3,\"z\":0}"},
	};
	struct buf b = {0};

	for (size_t i = 0; i < N(cases); i++) {
		buf_reset(&b);
		ok(json_canonical(&b, parse(cases[i].in), cases[i].form),
		    "a form can be written");
		is_str(buf_cstr(&b), cases[i].out, "%s", cases[i].name);
	}
	buf_reset(&b);
	ok(json_canonical(&b, NULL, JSON_UTF8) && !strcmp(buf_cstr(&b), "null"),
	    "an absent value is null");
	ok(!json_canonical(&b, parse("[1,[-1e400]]"), JSON_PYTHON),
	    "Python would not print an infinite number");
	is_str(buf_cstr(&b), "null",
	    "a value that cannot be written leaves nothing of itself");
	buf_fini(&b);
}

static void test_without(void)
{
	static const char *const cut[] = {"a", "c", NULL};
	struct buf b = {0};

	json_put_without(&b,
	    parse("{ \"a\": 1, \"\\u0062\" : \"x\\n\", \"d\":[1, 2],"
		  "\"\\u0063\":{}, \"e\":1.0 }"),
	    cut);
	is_str(buf_cstr(&b), "{\"\\u0062\":\"x\\n\",\"d\":[1, 2],\"e\":1.0}",
	    "an object without some members has the others as they were");
	buf_reset(&b);
	json_put_without(&b, parse("{\"c\":1}"), cut);
	is_str(buf_cstr(&b), "{}", "all members of an object can be left out");
	buf_fini(&b);
}

/* The order of keys is kept from one form to the next. */
static void test_canonical_again(void)
{
	static const char text[] =
	    "{\"b\":{\"10\":1,\"9\":2,\"a\":3},\"a\":4,\"\\u00e9\":5,\"2\":6}";
	static const struct {
		unsigned form;
		const char *out;
	} cases[] = {
	    {JSON_UTF8, "{\"2\":6,\"a\":4,\"b\":{\"10\":1,\"9\":2,\"a\":3},"
			"\"\xc3\xa9\":5}"},
	    {JSON_SCRIPT, "{\"2\":6,\"a\":4,\"b\":{\"9\":2,\"10\":1,\"a\":3},"
			  "\"\xc3\xa9\":5}"},
	    {JSON_TOP, "{\"2\":6,\"a\":4,\"b\":{\"10\":1,\"9\":2,\"a\":3},"
		       "\"\xc3\xa9\":5}"},
	    {JSON_ASCII, "{\"2\":6,\"a\":4,\"b\":{\"10\":1,\"9\":2,\"a\":3},"
			 "\"\\u00e9\":5}"},
	};
	const struct json *v =
	    json_parse(&doc, text, strlen(text), JSON_UNIQUE_KEYS, &error);
	struct buf b = {0};
	for (size_t i = 0; i < 3 * N(cases); i++) {
		size_t k = i * 3 % N(cases);
		buf_reset(&b);
		ok(json_canonical(&b, v, cases[k].form) &&
			!strcmp(buf_cstr(&b), cases[k].out),
		    "form %u is the same after form %u", cases[k].form,
		    cases[(i + N(cases) - 1) * 3 % N(cases)].form);
	}
	ok(json_str_is(json_key(json_first(v)), "b"),
	    "members stay in the order of the text");
	ok(!json_first(json_key(json_first(v))), "a key has no members");
	buf_fini(&b);
}

static void test_traits(void)
{
	static const struct {
		const char *text;
		unsigned traits;
	} cases[] = {
	    {"{\"b\":1,\"a\":[{\"c\":\"plain\"},true,null,{}]}", 0},
	    {"\"\\u00e9\"", JSON_HAS_HIGH},
	    {"{\"\xc3\xa9\":1}", JSON_HAS_HIGH},
	    {"[\"\x7f\"]", JSON_HAS_HIGH},
	    {"[\"\\n\\\"\\ud83d\"]", 0},
	    {"[1.5]", JSON_HAS_ODD_NUMBER},
	    {"1e5", JSON_HAS_ODD_NUMBER},
	    {"-0", JSON_HAS_ODD_NUMBER},
	    {"123456789012345678901234567890", 0},
	    {"{\"7\":1}", JSON_HAS_ODD_KEY},
	    {"{\"07\":1,\"-7\":1,\"4294967295\":1}", 0},
	    {"{\"\\ud83d\\ude00\":1}", JSON_HAS_ODD_KEY | JSON_HAS_HIGH},
	    {"{\"a\":{\"b\":1,\"c\":2}}", JSON_HAS_NESTED},
	    {"[[{\"b\":1,\"c\":2}]]", JSON_HAS_NESTED},
	    {"{\"a\":{\"b\":{\"c\":2}}}", 0},
	};

	for (size_t i = 0; i < N(cases); i++)
		is_int(json_traits(parse(cases[i].text)), cases[i].traits,
		    "what %s has is found", cases[i].text);
	is_int(json_traits(NULL), 0, "an absent value has nothing");
}

static void test_shallow(void)
{
	static const char text[] =
	    "{\"a\":[1,{\"b\":\"]}\\\"[\"}],\"c\":{\"d\":[]} ,\"e\":\"x\"}";
	struct json_error why;
	size_t len = 0;
	const struct json *v =
	    json_parse(&doc, text, sizeof(text) - 1, JSON_SHALLOW, &why);

	ok(json_count(v) == 3, "the root's members are there");
	ok(json_str_is(json_get(v, "e"), "x"), "scalars are as ever");
	ok(json_is(json_get(v, "a"), JSON_ARRAY) &&
		!json_first(json_get(v, "a")),
	    "an array inside is not looked into");
	const char *c = json_text(json_get(v, "c"), &len);
	ok(len == 8 && memcmp(c, "{\"d\":[]}", 8) == 0,
	    "an object inside has its text");
	(void)json_text(json_get(v, "a"), &len);
	ok(len == 17, "brackets in strings do not count");
	ok(!json_parse(&doc, text, 12, JSON_SHALLOW, &why),
	    "a text that is cut off is refused");
}

static void test_reuse(void)
{
	struct buf b = {0};
	bool all = true;

	buf_str(&b, "[0");
	buf_str(&b, repeat(",[{\"k\":1}]", 5000));
	buf_char(&b, ']');
	for (int i = 0; i < 20; i++) {
		all = all && json_count(parse(buf_cstr(&b))) == 5001;
		all = all && json_count(parse("[1,2]")) == 2;
	}
	ok(all, "a document can be used again and again");
	ok(!parse("[") && !doc.root, "a failure leaves no root");
	json_fini(&doc);
	ok(!doc.blocks && !doc.root, "a finished document is empty");
	json_fini(&doc);
	buf_fini(&b);
}

int main(void)
{
	test_cpython_errors();
	test_own_limits();
	test_unique_keys();
	test_tree();
	test_strings();
	test_integers();
	test_scalars();
	test_canonical();
	test_without();
	test_canonical_again();
	test_traits();
	test_shallow();
	test_reuse();
	return done();
}
