/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "wrapper/bar.h"

#include "base/buf.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

/* The program has the rows above the bar. */
static unsigned rows_of_program(const struct bar *b)
{
	return b->rows > 1 ? b->rows - 1 : 1;
}

/* To set it moves the cursor, which goes back. */
static void put_region(const struct bar *b, struct buf *out)
{
	buf_printf(out, "\0337\033[1;%ur\0338", rows_of_program(b));
}

void bar_resize(struct bar *b, unsigned rows, unsigned columns, struct buf *out)
{
	b->rows = rows;
	b->columns = columns;
	b->is_damaged = true;
	put_region(b, out);
}

/* ESC [ top ; bottom r: the whole screen is what the program has of it. */
static void put_scrolling(
    const struct bar *b, const char *text, size_t len, struct buf *out)
{
	char numbers[32] = "";
	char *rest;
	unsigned long top, bottom = 0;

	memcpy(numbers, text + 2,
	    len - 3 < sizeof numbers - 1 ? len - 3 : sizeof numbers - 1);
	top = strtoul(numbers, &rest, 10);
	if (*rest == ';')
		bottom = strtoul(rest + 1, NULL, 10);
	if (!bottom || bottom > rows_of_program(b))
		bottom = rows_of_program(b);
	buf_printf(out, "\033[%lu;%lur", top ? top : 1, bottom);
}

static bool is_digit_or_separator(char c)
{
	return (c >= '0' && c <= '9') || c == ';';
}

static bool is_scrolling(const char *text, size_t len)
{
	if (text[len - 1] != 'r')
		return false;
	return len == 3 || is_digit_or_separator(text[2]);
}

static bool is_other_screen(const char *text, size_t len)
{
	char last = text[len - 1];
	int number = len > 4 && text[2] == '?' ? atoi(text + 3) : 0;

	return (last == 'h' || last == 'l') &&
	       (number == 47 || number == 1047 || number == 1049);
}

/* What makes the terminal forget the region: another screen, and resets. */
static bool is_resetting(enum ansi_kind kind, const char *text, size_t len)
{
	if (kind == ANSI_SHORT)
		return len == 2 && text[1] == 'c';
	return kind == ANSI_CONTROL &&
	       (is_other_screen(text, len) ||
		   (text[len - 1] == 'p' && text[len - 2] == '!'));
}

void bar_put(struct bar *b, enum ansi_kind kind, const char *text, size_t len,
    struct buf *out)
{
	bool is_control = kind == ANSI_CONTROL;

	if (is_control && is_scrolling(text, len)) {
		put_scrolling(b, text, len, out);
		return;
	}
	buf_append(out, text, len);
	if (is_control && text[len - 1] == 'J')
		b->is_damaged = true; /* it erases to the last row */
	if (!is_resetting(kind, text, len))
		return;
	put_region(b, out);
	b->is_damaged = true;
}

void bar_draw(struct bar *b, struct buf *out)
{
	size_t len = strlen(b->text);

	b->is_damaged = false;
	if (len > b->columns)
		len = utf8_cut(b->text, len, b->columns);
	buf_printf(out, "\0337\033[%u;1H\033[0;7m%.*s\033[K\033[0m\0338",
	    b->rows, (int)len, b->text);
}

void bar_remove(const struct bar *b, struct buf *out)
{
	buf_printf(out, "\0337\033[r\033[%u;1H\033[0m\033[2K\0338", b->rows);
}
