/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include "base/buf.h"
#include "base/json.h"
#include "core/err.h"
#include "core/yaml.h"

static int convert(struct buf *out, const char *text, struct err *err)
{
	buf_reset(out);
	return yaml_to_json(out, text, strlen(text), "x.yaml", err);
}

/* The answers are those of PyYAML's safe_load. */
static void test_scalars(void)
{
	static const struct {
		const char *yaml;
		const char *json;
	} rows[] = {
	    {"", "null"},
	    {"~", "null"},
	    {"Null", "null"},
	    {"nULL", "\"nULL\""},
	    {"true", "true"},
	    {"Yes", "true"},
	    {"ON", "true"},
	    {"tRue", "\"tRue\""},
	    {"no", "false"},
	    {"Off", "false"},
	    {"y", "\"y\""},
	    {"0", "0"},
	    {"-0", "0"},
	    {"+7", "7"},
	    {"8000", "8000"},
	    {"1_000", "1000"},
	    {"0x1F", "31"},
	    {"-0x_1f", "-31"},
	    {"0b101", "5"},
	    {"017", "15"},
	    {"08", "\"08\""},
	    {"0o7", "\"0o7\""},
	    {"_1", "\"_1\""},
	    {"12345678901234567890", "12345678901234567890"},
	    {"1:30", "90"},
	    {"-1:30:10", "-5410"},
	    {"1:60", "\"1:60\""},
	    {"::1", "\"::1\""},
	    {"1.5", "1.5"},
	    {"1.", "1.0"},
	    {".5", "0.5"},
	    {"-.5", "\"-.5\""},
	    {"00.50", "0.50"},
	    {"1_0.2_5", "10.25"},
	    {"1.5e+3", "1.5e+3"},
	    {"1.e-2", "1.0e-2"},
	    {"1e5", "\"1e5\""},
	    {"1.5e3", "\"1.5e3\""},
	    {"1:30.5", "90.5"},
	    {"10.0.0.1", "\"10.0.0.1\""},
	    {"2024-01-01", "\"2024-01-01\""},
	    {"'8000'", "\"8000\""},
	    {"\"no\"", "\"no\""},
	    {"\"a\\n\\u00e9\\0\"", "\"a\\n\xc3\xa9\\u0000\""},
	    {"|\n  8000\n", "\"8000\\n\""},
	    {">-\n  two\n  lines\n", "\"two lines\""},
	    {"!!str 8000", "\"8000\""},
	    {"!!int '8000'", "8000"},
	    {"!!null ~", "null"},
	    {"! 8000", "8000"},
	};
	struct buf out = {0};
	struct err err = {.text = ""};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		is_int(
		    convert(&out, rows[i].yaml, &err), 0, "row %zu is YAML", i);
		is_str(buf_cstr(&out), rows[i].json, "a scalar becomes %s",
		    rows[i].json);
	}
	buf_fini(&out);
}

static void test_collections(void)
{
	static const struct {
		const char *yaml;
		const char *json;
	} rows[] = {
	    {"# words\n", "null"},
	    {"---\n...\n", "null"},
	    {"---\na: 1\n...\n", "{\"a\":1}"},
	    {"{}", "{}"},
	    {"[]", "[]"},
	    {"a:\n- 1\n- b: c\n  d:\n", "{\"a\":[1,{\"b\":\"c\",\"d\":null}]}"},
	    {"1: x\ntrue: y\n'a b': z\n'': w\n",
		"{\"1\":\"x\",\"true\":\"y\",\"a b\":\"z\",\"\":\"w\"}"},
	    {"\"Bash(git *)\": {allowed: yes}\n",
		"{\"Bash(git *)\":{\"allowed\":true}}"},
	    {"'<<': 1\n", "{\"<<\":1}"},
	    {"a: &anchor x\n", "{\"a\":\"x\"}"},
	    {"!!map {a: !!seq [1]}\n", "{\"a\":[1]}"},
	    {"\xef\xbb\xbf"
	     "a: 1\n",
		"{\"a\":1}"},
	    {"a: 1\r\nb: 2\r\n", "{\"a\":1,\"b\":2}"},
	};
	struct buf out = {0};
	struct err err = {.text = ""};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		is_int(convert(&out, rows[i].yaml, &err), 0, "text %zu is YAML",
		    i);
		is_str(buf_cstr(&out), rows[i].json, "a collection becomes %s",
		    rows[i].json);
	}
	buf_fini(&out);
}

static void test_refused(void)
{
	static const struct {
		const char *what;
		const char *yaml;
		int line;
		const char *says;
	} rows[] = {
	    {"an alias", "a: &x 1\nb: *x\n", 2, "aliases"},
	    {"an unknown alias", "a: *x\n", 1, "aliases"},
	    {"a merge key", "a: 1\n<<: {b: 1}\n", 2, "merge"},
	    {"a doubled key", "a: 1\nb: 1\na: 2\n", 3,
		"the key \"a\" is given twice"},
	    {"a key doubled in quotes", "1: a\n'1': b\n", 2, "is given twice"},
	    {"a key with a line end", "\"a\\nb\": 1\n\"a\\nb\": 1\n", 2,
		"\"a\\nb\" is given twice"},
	    {"a list as key", "? [a]\n: 1\n", 1, "a key must be a word"},
	    {"a tag of Python", "a: !!python/object:x {}\n", 1, "tag"},
	    {"a tag of Python on a word", "a: !!python/name:x y\n", 1, "tag"},
	    {"a tag of one's own", "\n!mine a\n", 2, "tag"},
	    {"bytes", "!!binary aGk=\n", 1, "tag"},
	    {"a set", "!!set {a}\n", 1, "tag"},
	    {"a word as integer", "!!int x\n", 1, "tag"},
	    {"a tagged key", "!!int 1: x\n", 1, "tag"},
	    {"infinity", "a: -.inf\n", 1, "finite"},
	    {"no number", "a: .NaN\n", 1, "finite"},
	    {"a large octal", "a: 07777777777777777777777777\n", 1, "fits"},
	    {"a large hexadecimal", "0xffffffffffffffff", 1, "fits"},
	    {"an empty binary", "0b_", 1, "fits"},
	    {"a long time", "9999999999999999999999:1", 1, "fits"},
	    {"two documents", "a: 1\n---\nb: 1\n", 2, "second document"},
	    {"a document after the end", "a\n...\nb\n", 3, ""},
	    {"a cut list", "a: [1,\n", 2, ""},
	    {"a tab", "a:\n\tb: 1\n", 2, ""},
	    {"a bad byte", "a: 1\nb: \xff\n", 2, ""},
	    {"a control character", "a: 1\n\nb: \x01\n", 3, ""},
	};
	struct buf out = {0};
	char place[40];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct err err = {.code = ERR_OK, .text = ""};

		is_int(convert(&out, rows[i].yaml, &err), -1, "%s is refused",
		    rows[i].what);
		(void)snprintf(
		    place, sizeof place, "x.yaml line %d: ", rows[i].line);
		ok(err.code == ERR_CONFIG &&
			!strncmp(err.text, place, strlen(place)) &&
			strstr(err.text, rows[i].says),
		    "a refusal has place and reason: %s", err.text);
	}
	buf_fini(&out);
}

static void repeat(struct buf *out, const char *text, size_t times)
{
	while (times--)
		buf_str(out, text);
}

static void test_limits(void)
{
	struct buf text = {0}, out = {0};
	struct err err = {.text = ""};

	repeat(&text, "[", YAML_MAX_DEPTH);
	repeat(&text, "]", YAML_MAX_DEPTH);
	is_int(convert(&out, buf_cstr(&text), &err), 0, "a deep text is read");
	buf_reset(&text);
	repeat(&text, "[", YAML_MAX_DEPTH + 1);
	repeat(&text, "]", YAML_MAX_DEPTH + 1);
	is_int(convert(&out, buf_cstr(&text), &err), -1,
	    "a text that is too deep is refused");
	ok(strstr(err.text, "deep"), "the refusal of a deep text says so: %s",
	    err.text);
	buf_reset(&text);
	repeat(&text, "[", YAML_MAX_SIZE);
	is_int(convert(&out, buf_cstr(&text), &err), -1,
	    "brackets alone are "
	    "refused at once");
	buf_reset(&text);
	repeat(&text, "#", YAML_MAX_SIZE);
	is_int(convert(&out, buf_cstr(&text), &err), 0, "a large text is read");
	buf_char(&text, '#');
	is_int(convert(&out, buf_cstr(&text), &err), -1,
	    "a text that is too large is refused");
	is_str(err.text, "x.yaml line 1: larger than 1048576 bytes",
	    "the refusal of a large text has the limit");
	buf_fini(&text);
	buf_fini(&out);
}

static void test_lines(void)
{
	static const char text[] = "# words\na: 1\nb:\n  c: 2\n\n\nd: [\n x]\n";
	static const size_t want[] = {2, 3, 7};
	struct buf out = {0}, lines = {0};
	struct err err = {.text = ""};

	is_int(yaml_to_json_lines(
		   &out, &lines, text, sizeof text - 1, "x.yaml", &err),
	    0, "a mapping is read");
	is_mem(lines.data, lines.len, want, sizeof want,
	    "a mapping is read with the lines of its own keys");
	buf_reset(&lines);
	is_int(yaml_to_json_lines(&out, &lines, "[a]", 3, "x.yaml", &err), 0,
	    "a list is read without lines");
	is_int((int64_t)lines.len, 0, "a list has no lines of keys");
	buf_fini(&lines);
	buf_fini(&out);
}

int main(void)
{
	test_scalars();
	test_collections();
	test_refused();
	test_limits();
	test_lines();
	return done();
}
