/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/buf.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAP 64

/* The first allocation: most of what is written here fits in it. */
#define COMMON_CAP 1024

static void grow(struct buf *b, size_t n)
{
	size_t need, cap = b->cap ? b->cap : FIRST_CAP;

	if (__builtin_add_overflow(b->len, n, &need) || need > SIZE_MAX / 2)
		fatal("buffer: cannot hold %zu and %zu bytes", b->len, n);
	while (cap < need)
		cap *= cap < COMMON_CAP ? 4 : 2;
	b->data = mem_realloc(b->data, cap);
	b->cap = cap;
}

/* Append the escape of a character that a JSON string cannot hold literally. */
static void append_escape(struct buf *b, unsigned char c)
{
	static const char letters[] = "btn\0fr"; /* from 8 to 13 */
	char pair[2] = {'\\', 0};

	if (c == '"' || c == '\\')
		pair[1] = (char)c;
	else if (c >= '\b' && c <= '\r')
		pair[1] = letters[c - '\b'];
	if (pair[1])
		buf_append(b, pair, sizeof pair);
	else
		buf_printf(b, "\\u%04x", c);
}

/* Returns how many of the n bytes at s need no escape in a JSON string. */
static size_t plain_run(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n) {
		unsigned char c = (unsigned char)s[i];
		size_t len = 1;
		if (c < 0x20 || c == '"' || c == '\\')
			break;
		if (c >= 0x80)
			len = utf8_len(s + i, n - i);
		if (!len)
			break;
		i += len;
	}
	return i;
}

void buf_fini(struct buf *b)
{
	free(b->data);
	*b = (struct buf){0};
}

void buf_reset(struct buf *b)
{
	b->len = 0;
}

char *buf_reserve(struct buf *b, size_t n)
{
	if (!b->data || n > b->cap - b->len)
		grow(b, n);
	return b->data + b->len;
}

void buf_append(struct buf *b, const void *p, size_t n)
{
	if (!n)
		return;
	memcpy(buf_reserve(b, n), p, n);
	b->len += n;
}

void buf_str(struct buf *b, const char *s)
{
	buf_append(b, s, strlen(s));
}

void buf_char(struct buf *b, char c)
{
	*buf_reserve(b, 1) = c;
	b->len++;
}

void buf_int(struct buf *b, int64_t v)
{
	char digits[24];
	char *p = digits + sizeof digits;
	uint64_t u = v < 0 ? -(uint64_t)v : (uint64_t)v;

	do {
		*--p = (char)('0' + u % 10);
		u /= 10;
	} while (u);
	if (v < 0)
		*--p = '-';
	buf_append(b, p, (size_t)(digits + sizeof digits - p));
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	char *room = buf_reserve(b, FIRST_CAP);
	size_t cap = b->cap - b->len;

	va_copy(again, ap);
	int n = vsnprintf(room, cap, fmt, ap);
	if (n < 0)
		panic("buffer: bad format \"%s\"", fmt);
	if ((size_t)n >= cap) {
		room = buf_reserve(b, (size_t)n + 1);
		(void)vsnprintf(room, (size_t)n + 1, fmt, again); /* as above */
	}
	va_end(again);
	b->len += (size_t)n;
}

void buf_json(struct buf *b, const char *s, size_t n)
{
	buf_char(b, '"');
	while (n) {
		size_t run = plain_run(s, n);
		buf_append(b, s, run);
		s += run;
		n -= run;
		if (!n)
			break;
		if ((unsigned char)*s < 0x80)
			append_escape(b, (unsigned char)*s);
		else
			buf_str(b, "\xef\xbf\xbd"); /* U+FFFD */
		s++;
		n--;
	}
	buf_char(b, '"');
}

void buf_json_or_null(struct buf *b, const char *s, size_t n)
{
	if (s)
		buf_json(b, s, n);
	else
		buf_str(b, "null");
}

void buf_json_str(struct buf *b, const char *s)
{
	buf_json_or_null(b, s, s ? strlen(s) : 0);
}

void buf_consume(struct buf *b, size_t n)
{
	if (n > b->len)
		panic("buffer: consume %zu of %zu bytes", n, b->len);
	if (!n)
		return;
	b->len -= n;
	memmove(b->data, b->data + n, b->len);
}

char *buf_steal(struct buf *b, size_t *len)
{
	*buf_reserve(b, 1) = '\0';
	char *data = b->data;
	if (len)
		*len = b->len;
	*b = (struct buf){0};
	return data;
}

const char *buf_cstr(struct buf *b)
{
	*buf_reserve(b, 1) = '\0';
	return b->data;
}

static void blank(char *text, size_t len, char c)
{
	char *end = text + len;

	while ((text = memchr(text, c, (size_t)(end - text))))
		*text = ' ';
}

void buf_json_line(struct buf *b, const char *json, size_t len)
{
	buf_append(b, json, len);
	blank(b->data + b->len - len, len, '\n');
	blank(b->data + b->len - len, len, '\r');
}
