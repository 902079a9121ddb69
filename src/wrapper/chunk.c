/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "wrapper/chunk.h"

#include "base/utf8.h"

#include <stdbool.h>

#define ESC '\033'

/* The longest character in UTF-8, without its last byte. */
#define MAX_PARTIAL 3

/* Returns how many bytes a character needs that begins with c. */
static size_t length_of(unsigned char c)
{
	if (c >= 0xf0 && c <= 0xf4)
		return 4;
	if (c >= 0xe0)
		return 3;
	return c >= 0xc2 ? 2 : 1;
}

/* Returns the length without an incomplete character. */
static size_t without_partial(const char *s, size_t n)
{
	for (size_t back = 1; back <= MAX_PARTIAL && back <= n; back++) {
		unsigned char c = (unsigned char)s[n - back];

		if ((c & 0xc0) == 0x80)
			continue;
		return c < 0xf5 && length_of(c) > back ? n - back : n;
	}
	return n;
}

/* A string ends with BEL, or with ESC and a backslash. */
static bool is_string_whole(const char *s, size_t n)
{
	for (size_t i = 2; i < n; i++)
		if (s[i] == '\a' || (s[i] == '\\' && s[i - 1] == ESC))
			return true;
	return false;
}

/* A control sequence ends with a byte from '@' to '~'. */
static bool is_control_whole(const char *s, size_t n)
{
	for (size_t i = 2; i < n; i++)
		if (s[i] >= '@' && s[i] <= '~')
			return true;
	return false;
}

/* Whether the escape sequence at s, which begins with ESC, is complete. */
static bool is_escape_whole(const char *s, size_t n)
{
	if (n < 2)
		return false;
	switch (s[1]) {
	case '[':
		return is_control_whole(s, n);
	case ']':
	case 'P':
	case 'X':
	case '^':
	case '_':
		return is_string_whole(s, n);
	default:
		/* Intermediate bytes, then a final one. */
		for (size_t i = 1; i < n; i++)
			if (s[i] < ' ' || s[i] > '/')
				return true;
		return false;
	}
}

/*
 * Returns where the last escape sequence begins; n if there is none within
 * reach. The ESC of a string's end is not the beginning of one.
 */
static size_t last_escape(const char *s, size_t n)
{
	size_t lowest = n > CHUNK_MAX_ESCAPE ? n - CHUNK_MAX_ESCAPE : 0;
	size_t at = n;

	for (size_t i = n; i > lowest; i--) {
		if (s[i - 1] != ESC)
			continue;
		at = i - 1;
		if (i < n && s[i] != '\\')
			break;
	}
	return at;
}

size_t chunk_whole(const char *s, size_t n)
{
	size_t whole = without_partial(s, n);
	size_t at = last_escape(s, whole);

	return at < whole && !is_escape_whole(s + at, whole - at) ? at : whole;
}
