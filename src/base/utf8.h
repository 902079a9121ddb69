/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

/* UTF-8, one character at a time (RFC 3629). Pure functions. */
#include <stddef.h>
#include <stdint.h>

/*
 * Returns the length in bytes of the character at s, of which n > 0 bytes are
 * there; 0 if they do not begin with valid UTF-8 (overlong forms and surrogates
 * are invalid).
 */
static inline size_t utf8_len(const char *s, size_t n)
{
	const unsigned char *u = (const unsigned char *)s;
	unsigned char lowest = 0x80, highest = 0xbf;
	size_t len = u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;

	if (u[0] < 0x80)
		return 1;
	if (u[0] < 0xc2 || u[0] > 0xf4 || n < len)
		return 0;
	if (u[0] == 0xe0)
		lowest = 0xa0;
	if (u[0] == 0xed)
		highest = 0x9f;
	if (u[0] == 0xf0)
		lowest = 0x90;
	if (u[0] == 0xf4)
		highest = 0x8f;
	if (u[1] < lowest || u[1] > highest)
		return 0;
	for (size_t i = 2; i < len; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
	}
	return len;
}

/* Returns the character at s, which is valid and has len bytes. */
static inline uint32_t utf8_get(const char *s, size_t len)
{
	uint32_t c = (unsigned char)s[0];

	if (len > 1)
		c &= 0x7fu >> len;
	for (size_t i = 1; i < len; i++)
		c = c << 6 | ((unsigned char)s[i] & 0x3f);
	return c;
}

/*
 * Write c (at most 0x10ffff) to out, which has room for 4 bytes. Returns the
 * number of bytes written.
 */
static inline size_t utf8_put(char *out, uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* Returns the number of characters in a valid s. */
static inline size_t utf8_count(const char *s, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)s[i] & 0xc0) != 0x80;
	return n;
}

/* Returns the length in bytes of the first n characters of a valid s. */
static inline size_t utf8_prefix(const char *s, size_t len, size_t n)
{
	size_t i = 0;

	while (i < len) {
		/* Count only the first byte of each character. */
		if (((unsigned char)s[i] & 0xc0) != 0x80 && n-- == 0)
			break;
		i++;
	}
	return i;
}

/*
 * Returns the length in bytes of the longest beginning of a valid s that has at
 * most max bytes and ends with a whole character.
 */
static inline size_t utf8_cut(const char *s, size_t len, size_t max)
{
	if (len <= max)
		return len;
	while (max > 0 && ((unsigned char)s[max] & 0xc0) == 0x80)
		max--;
	return max;
}

#endif
