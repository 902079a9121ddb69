/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "tools/tool_text.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "t/unit/tap.h"
#include "tools/tool_capture.h"

#define BAD "\xef\xbf\xbd"

static const struct {
	const char *in;
	size_t len;
	const char *out;
	const char *what;
} texts[] = {
    {"plain", 5, "plain", "text"},
    {"a\xff\xfe z", 5, "a" BAD BAD " z", "bytes that are not UTF-8"},
    {"a\0b", 3, "a" BAD "b", "a NUL"},
    {"\xe2\x82", 2, BAD BAD, "half a character"},
    {"\xe2\x82\xac", 3, "\xe2\x82\xac", "a character of three bytes"},
    {"", 0, "", "nothing"},
};

static bool is_valid(const struct buf *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->len; i += n) {
		n = utf8_len(b->data + i, b->len - i);
		if (!n)
			return false;
	}
	return true;
}

static void test_put(void)
{
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct buf out = {0};

		tool_text_put(&out, texts[i].in, texts[i].len);
		is_str(buf_cstr(&out), texts[i].out,
		    "the text of a result is valid UTF-8 after %s",
		    texts[i].what);
		buf_fini(&out);
	}
}

static void test_cut(void)
{
	struct buf b = {0};

	for (int i = 0; i < 1000; i++)
		buf_str(&b, "\xe2\x82\xac");
	tool_text_cut(&b, 3000);
	is_int(b.len, 3000, "a text of exactly the limit is not cut");
	tool_text_cut(&b, 1001);
	ok(b.len <= 1001, "a longer text is cut to the limit");
	ok(is_valid(&b), "a text is cut between characters");
	ok(strstr(buf_cstr(&b), "bytes left out") != NULL,
	    "a cut text says how much is left out");
	buf_fini(&b);
}

/* Feed n bytes, each its position modulo 10, in pieces. */
static void feed(struct tool_capture *c, size_t n, size_t piece)
{
	char text[100];

	for (size_t i = 0; i < n;) {
		size_t len = 0;

		for (; len < piece && i < n; i++)
			text[len++] = (char)('0' + i % 10);
		tool_capture_add(c, text, len);
	}
}

static void test_capture(void)
{
	for (size_t piece = 1; piece < 100; piece += 49) {
		struct tool_capture c = {.head_max = 5, .tail_max = 7};
		struct buf out = {0};

		feed(&c, 12, piece);
		tool_capture_put(&out, &c);
		is_str(buf_cstr(&out), "012345678901",
		    "a capture keeps all of a short stream (pieces of %zu)",
		    piece);
		buf_reset(&out);
		feed(&c, 1000, piece);
		tool_capture_put(&out, &c);
		is_str(buf_cstr(&out),
		    "01234\n... (1000 bytes left out) ...\n3456789",
		    "a capture keeps the ends of a long stream (pieces of %zu)",
		    piece);
		ok(c.head.cap + c.tail.cap < 1000,
		    "the memory of a capture is limited (pieces of %zu)",
		    piece);
		tool_capture_fini(&c);
		buf_fini(&out);
	}

	struct tool_capture c = {.head_max = 20, .tail_max = 20};
	struct buf out = {0};
	tool_capture_add(&c, "x\xff \r\n\n", 6);
	tool_capture_put(&out, &c);
	is_str(buf_cstr(&out), "x" BAD,
	    "a capture is valid UTF-8 without white space at its end");
	tool_capture_fini(&c);
	buf_fini(&out);
}

int main(void)
{
	test_put();
	test_cut();
	test_capture();
	return done();
}
