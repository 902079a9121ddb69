/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* Where the output of a program is cut. */
#include "wrapper/chunk.h"

#include "t/unit/tap.h"

static void test_cases(void)
{
	static const struct {
		const char *name;
		const char *text;
		size_t held; /* bytes at the end */
	} cases[] = {
	    {"an empty text is sent", "", 0},
	    {"plain text is sent whole", "abc\n", 0},
	    {"a character of two bytes is sent whole", "\xc3\xa9", 0},
	    {"half a character of two bytes is held", "a\xc3", 1},
	    {"two of three bytes are held", "a\xe2\x82", 2},
	    {"three of four bytes are held", "\xf0\x9f\x98", 3},
	    {"a character of four bytes is sent whole", "\xf0\x9f\x98\x80", 0},
	    {"a byte that begins no character is sent", "a\xff", 0},
	    {"bytes that continue nothing are sent", "\x80\x80\x80\x80", 0},
	    {"a lone ESC is held", "a\033", 1},
	    {"a color is sent whole", "\033[31m", 0},
	    {"half a color is held", "a\033[31", 4},
	    {"a complete sequence before a half one is sent", "\033[1mx\033[3",
		3},
	    {"a title is sent whole", "\033]0;title\a", 0},
	    {"half a title is held", "a\033]0;ti", 6},
	    {"a string that ends with ST is sent whole",
		"\033]8;;http://h\033\\link", 0},
	    {"a string whose ST is cut is held", "\033]0;t\033", 6},
	    {"a charset is sent whole", "\033(B", 0},
	    {"half a charset is held", "x\033(", 2},
	    {"text after a sequence does not matter", "\033[31mred", 0},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t n = strlen(cases[i].text);
		is_int((int)chunk_whole(cases[i].text, n),
		    (int)(n - cases[i].held), "%s", cases[i].name);
	}
}

static void test_long(void)
{
	static char text[CHUNK_MAX_ESCAPE + 100];

	memset(text, 'x', sizeof text);
	memcpy(text, "\033]0;", 4);
	is_int((int)chunk_whole(text, 1000), 0, "a long string is held");
	is_int((int)chunk_whole(text, sizeof text), (int)sizeof text,
	    "a sequence that never ends is sent");
}

int main(void)
{
	test_cases();
	test_long();
	return done();
}
