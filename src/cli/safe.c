/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "cli/safe.h"

#include "base/utf8.h"

#include <stdbool.h>
#include <string.h>
#include <wchar.h>

/*
 * Characters beyond ASCII that a terminal obeys, or that make text look like
 * another: C1, marks and overrides of direction, joiners and other invisible
 * ones, line separators, the byte order mark, annotations, and tags.
 */
static const struct {
	uint32_t first, last;
} hidden[] = {
    {0x80, 0x9f},
    {0xad, 0xad},
    {0x61c, 0x61c},
    {0x180e, 0x180e},
    {0x200b, 0x200f},
    {0x2028, 0x202e},
    {0x2060, 0x206f},
    {0xfeff, 0xfeff},
    {0xfff9, 0xfffb},
    {0xe0000, 0xe007f},
};

/* Emoji are joined by it, and it does nothing between others. */
#define ZERO_WIDTH_JOINER 0x200d

static bool is_hidden(uint32_t c)
{
	if (c == ZERO_WIDTH_JOINER)
		return false;
	for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
		if (c >= hidden[i].first && c <= hidden[i].last)
			return true;
	return false;
}

static bool is_control(uint32_t c)
{
	return c < 0x20 || c == 0x7f;
}

/* Append the character at s, visibly. Returns how many bytes it has. */
static size_t safe_put(struct buf *out, const char *s, size_t n)
{
	size_t len = utf8_len(s, n);
	uint32_t c = len ? utf8_get(s, len) : 0;

	if (len == 0)
		buf_printf(out, "<%02X>", (unsigned)(unsigned char)*s);
	else if (is_control(c))
		buf_printf(out, "^%c", (int)(c ^ 0x40));
	else if (is_hidden(c))
		buf_printf(out, "<U+%04X>", (unsigned)c);
	else
		buf_append(out, s, len);
	return len ? len : 1;
}

void safe_text(struct buf *out, const char *s, size_t n)
{
	size_t i = 0;

	while (i < n) {
		if (s[i] == '\r' && i + 1 < n && s[i + 1] == '\n') {
			i++;
		} else if (s[i] == '\n' || s[i] == '\t') {
			buf_char(out, s[i++]);
		} else {
			i += safe_put(out, s + i, n - i);
		}
	}
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

void safe_line(struct buf *out, const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && is_blank(s[i]))
		i++;
	while (i < n) {
		size_t before = i;
		while (i < n && is_blank(s[i]))
			i++;
		if (i == n)
			break;
		if (i > before)
			buf_char(out, ' ');
		i += safe_put(out, s + i, n - i);
	}
}

/* Beyond the basic plane it takes two escapes. */
static void put_escape(struct buf *out, uint32_t c)
{
	if (c < 0x10000) {
		buf_printf(out, "\\u%04x", (unsigned)c);
		return;
	}
	c -= 0x10000;
	buf_printf(out, "\\u%04x\\u%04x", (unsigned)(0xd800 + (c >> 10)),
	    (unsigned)(0xdc00 + (c & 0x3ff)));
}

void safe_json(struct buf *out, const char *s, size_t n)
{
	size_t i = 0;

	while (i < n) {
		size_t len = utf8_len(s + i, n - i);
		uint32_t c = len ? utf8_get(s + i, len) : 0xfffd;
		/* In JSON, control characters stand between values only. */
		if (c < 0x20)
			buf_char(out, ' ');
		else if (c == 0x7f || is_hidden(c) || len == 0)
			put_escape(out, c);
		else
			buf_append(out, s + i, len);
		i += len ? len : 1;
	}
}

static size_t columns_of(uint32_t c)
{
	int width = wcwidth((wchar_t)c);

	return width < 0 ? 1 : (size_t)width;
}

void safe_cut(struct buf *line, size_t from, size_t columns, const char *more)
{
	size_t room = strlen(more), used = 0, fits = from;

	room = columns > room ? columns - room : 0;
	for (size_t i = from; i < line->len;) {
		size_t len = utf8_len(line->data + i, line->len - i);
		used += len ? columns_of(utf8_get(line->data + i, len)) : 1;
		if (used > columns) {
			line->len = fits;
			buf_str(line, more);
			return;
		}
		i += len ? len : 1;
		if (used <= room)
			fits = i;
	}
}
