/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "api/sse_line.h"

#include "base/buf.h"

#include <string.h>

/* Replace each c by a space. */
static void blank(char *text, size_t n, char c)
{
	for (char *p = text; (p = memchr(p, c, (size_t)(text + n - p)));)
		*p = ' ';
}

/*
 * Returns the escape of the line end at s, with n > 0 bytes left; NULL: none.
 */
static const char *escape_of(const char *s, size_t n)
{
	if (n >= 2 && memcmp(s, "\xc2\x85", 2) == 0)
		return "\\u0085";
	if (n >= 3 && memcmp(s, "\xe2\x80\xa8", 3) == 0)
		return "\\u2028";
	if (n >= 3 && memcmp(s, "\xe2\x80\xa9", 3) == 0)
		return "\\u2029";
	return NULL;
}

/* Returns the offset of the first line end; n if there is none. */
static size_t sse_line_find(const char *s, size_t n)
{
	size_t i = 0;
	while (
	    i < n && ((unsigned char)s[i] < 0xc2 || !escape_of(s + i, n - i)))
		i++;
	return i;
}

void sse_line_fit(struct buf *out, size_t from)
{
	size_t n = out->len - from;
	if (!n)
		return;
	blank(out->data + from, n, '\n');
	blank(out->data + from, n, '\r');
	size_t at = sse_line_find(out->data + from, n);
	if (at == n)
		return;
	struct buf rest = {0};
	buf_append(&rest, out->data + from + at, n - at);
	out->len = from + at;
	for (const char *s = rest.data, *end = s + rest.len; s < end;) {
		size_t len = sse_line_find(s, (size_t)(end - s));
		buf_append(out, s, len);
		s += len;
		if (s == end)
			break;
		buf_str(out, escape_of(s, (size_t)(end - s)));
		s += *s == '\xc2' ? 2 : 3;
	}
	buf_fini(&rest);
}
