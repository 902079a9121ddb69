/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "wrapper/filter.h"

#include "base/buf.h"

#include <stdbool.h>
#include <string.h>

/* ESC ] with one of these: titles and links. */
static bool is_harmless_string(const char *text, size_t len)
{
	static const char *const heads[] = {"\033]0;", "\033]2;", "\033]8;"};

	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
		if (len > 4 && memcmp(text, heads[i], 4) == 0)
			return true;
	return false;
}

/*
 * Questions: attributes (c), status (n), parameters (x), modes ($p), settings
 * ($u, $w), sums (*y), the version (>q). Window operations (t) and the keyboard
 * (u with a mark) are up to the terminal itself.
 */
static bool is_harmless_control(const char *text, size_t len)
{
	char last = text[len - 1], before = text[len - 2], mark = text[2];

	if (strchr("cnxt", last))
		return false;
	if (strchr("puwy", last) && (before == '$' || before == '*'))
		return false;
	if (last == 'u' && strchr("?><=", mark))
		return false;
	return last != 'q' || mark != '>';
}

void filter_put(
    struct buf *out, enum ansi_kind kind, const char *text, size_t len)
{
	bool is_harmless =
	    kind == ANSI_TEXT ||
	    (kind == ANSI_CONTROL && is_harmless_control(text, len)) ||
	    (kind == ANSI_STRING && is_harmless_string(text, len)) ||
	    (kind == ANSI_SHORT && text[len - 1] != 'Z');

	if (is_harmless)
		buf_append(out, text, len);
}
