/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* What a stranger's text looks like on a terminal. */
#include "cli/safe.h"

#include "t/unit/tap.h"

#include <locale.h>

struct row {
	const char *given, *wanted;
};

typedef void safe_fn(struct buf *out, const char *s, size_t n);

static void check(
    const char *what, safe_fn *fn, const struct row *rows, size_t n)
{
	struct buf out = {0};

	for (size_t i = 0; i < n; i++) {
		buf_reset(&out);
		fn(&out, rows[i].given, strlen(rows[i].given));
		is_str(buf_cstr(&out), rows[i].wanted,
		    "%s %zu becomes what it should", what, i);
	}
	buf_fini(&out);
}

static void check_texts(void)
{
	static const struct row rows[] = {
	    {"", ""},
	    {"plain\n\ttext", "plain\n\ttext"},
	    {"\x1b[2Jgone", "^[[2Jgone"},
	    {"\x1b]52;c;aGk=\x07", "^[]52;c;aGk=^G"},
	    {"a\rb\r\nc", "a^Mb\nc"},
	    {"\x7f", "^?"},
	    {"\xc2\x9b"
	     "2J",
		"<U+009B>2J"},
	    {"\x9b"
	     "2J",
		"<9B>2J"},
	    {"\xe2\x80\xae"
	     "txt.exe",
		"<U+202E>txt.exe"},
	    {"\xe2\x81\xa6x", "<U+2066>x"},
	    {"\xe2\x80\x8bx", "<U+200B>x"},
	    {"\xf3\xa0\x81\x81", "<U+E0041>"},
	    {"\xef\xbb\xbf", "<U+FEFF>"},
	    {"\xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x98\x80",
		"\xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x98\x80"},
	    {"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb",
		"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb"},
	    {"cut \xe2\x80", "cut <E2><80>"},
	};
	struct buf out = {0};

	check("text", safe_text, rows, sizeof rows / sizeof *rows);
	safe_text(&out, "a\0b", 3);
	is_str(buf_cstr(&out), "a^@b", "a NUL in a text is visible");
	buf_fini(&out);
}

static void check_lines(void)
{
	static const struct row rows[] = {
	    {"", ""},
	    {"  a \n\t b\r\n", "a b"},
	    {" \n ", ""},
	    {"a\x1b[1mb", "a^[[1mb"},
	};

	check("line", safe_line, rows, sizeof rows / sizeof *rows);
}

static void check_json(void)
{
	static const struct row rows[] = {
	    {"{\"a\":\n1}", "{\"a\": 1}"},
	    {"\"\\u001b\"", "\"\\u001b\""},
	    {"\"\xc2\x9b\"", "\"\\u009b\""},
	    {"\"\xe2\x80\xae\"", "\"\\u202e\""},
	    {"\"\x7f\"", "\"\\u007f\""},
	    {"\"\xf3\xa0\x81\x81\"", "\"\\udb40\\udc41\""},
	    {"\"\xc3\xa9\"", "\"\xc3\xa9\""},
	};

	check("JSON", safe_json, rows, sizeof rows / sizeof *rows);
}

static void check_cuts(void)
{
	static const struct {
		const char *given;
		size_t columns;
		const char *wanted;
	} rows[] = {
	    {"12345", 5, "12345"},
	    {"123456", 5, "12..."},
	    {"", 5, ""},
	    {"123", 2, "..."},
	    {"\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5", 6,
		"\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5"},
	    {"\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5", 5, "\xe6\x97\xa5..."},
	    {"e\xcc\x81"
	     "12345",
		6,
		"e\xcc\x81"
		"12345"},
	};
	struct buf line = {0};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		buf_reset(&line);
		buf_str(&line, rows[i].given);
		safe_cut(&line, 0, rows[i].columns, "...");
		is_str(buf_cstr(&line), rows[i].wanted,
		    "line %zu is cut to %zu columns", i, rows[i].columns);
	}
	buf_reset(&line);
	buf_str(&line, "mark: 123456");
	safe_cut(&line, 6, 5, "...");
	is_str(buf_cstr(&line), "mark: 12...",
	    "what stands before the cut part is kept");
	buf_fini(&line);
}

int main(void)
{
	/* The width of characters is the locale's. */
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	check_texts();
	check_lines();
	check_json();
	check_cuts();
	return done();
}
