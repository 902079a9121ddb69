/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "files/eval_text.h"

#include "base/utf8.h"

#include <string.h>
#include <time.h>

/*
 * Excludes what YAML takes for a line break, or does not allow even in quotes.
 */
static bool is_plain(uint32_t c)
{
	if (c < 0x80)
		return c >= 0x20 && c != 0x7f;
	if (c < 0xa0 || c == 0x2028 || c == 0x2029 || c == 0xfeff)
		return false;
	return c != 0xfffe && c != 0xffff;
}

void eval_text_json(struct buf *out, const char *text, size_t len)
{
	for (size_t i = 0, n; i < len; i += n) {
		n = utf8_len(text + i, len - i);
		uint32_t c = n ? utf8_get(text + i, n) : 0xfffd;
		if (!n)
			n = 1;
		else if (is_plain(c)) {
			buf_append(out, text + i, n);
			continue;
		}
		if (c < 0x20)
			buf_char(out, ' '); /* white space between values */
		else
			buf_printf(out, "\\u%04x", (unsigned)c);
	}
}

void eval_text_string(struct buf *out, const char *text, size_t len)
{
	struct buf quoted = {0};
	buf_json(&quoted, text, len);
	eval_text_json(out, quoted.data, quoted.len);
	buf_fini(&quoted);
}

struct store_span eval_text_cut(struct store_span s, size_t most)
{
	return (struct store_span){s.data, utf8_cut(s.data, s.len, most)};
}

void eval_text_time(struct buf *out, int64_t ms)
{
	char text[32];
	struct tm tm;
	time_t t = (time_t)(ms / 1000);
	if (!localtime_r(&t, &tm) ||
	    !strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm))
		text[0] = 0;
	buf_str(out, text);
}

/* Covers simple letters of the Latin, Greek and Cyrillic scripts. */
static uint32_t eval_text_lower(uint32_t c)
{
	if ((c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7) ||
	    (c >= 0x391 && c <= 0x3a9) || (c >= 0x410 && c <= 0x42f))
		return c + 0x20;
	if (c >= 0x400 && c <= 0x40f)
		return c + 0x50;
	return c;
}

/*
 * Letters and digits of any script; in scripts other than Latin, everything
 * except spaces and punctuation.
 */
static bool is_word(uint32_t c)
{
	if (c < 0x80)
		return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
		       c == '_';
	if (c < 0xc0)
		return c == 0xaa || c == 0xb5 || c == 0xba;
	if (c == 0xd7 || c == 0xf7 || (c >= 0x2000 && c <= 0x206f) ||
	    (c >= 0x2190 && c <= 0x2bff) || (c >= 0x3000 && c <= 0x3004) ||
	    (c >= 0x3008 && c <= 0x3020) || (c >= 0xfe00 && c <= 0xfe6f))
		return false;
	if (c >= 0xff00 && c <= 0xffef)
		return (c >= 0xff10 && c <= 0xff19) ||
		       (c >= 0xff41 && c <= 0xff5a) || c >= 0xff66;
	return c < 0x1f000 && is_plain(c);
}

/* Cut back to the last whole word, if there is one. */
static void cut_word(struct buf *out, size_t from)
{
	const char *bar = memrchr(out->data + from, '_', out->len - from);
	if (bar && bar > out->data + from)
		out->len = (size_t)(bar - out->data);
}

void eval_text_name(struct buf *out, const char *prompt, size_t len)
{
	size_t from = out->len, n_chars = 0;
	bool is_gap = false;
	char bytes[4];
	for (size_t i = 0, n; i < len; i += n) {
		n = utf8_len(prompt + i, len - i);
		uint32_t c = n ? eval_text_lower(utf8_get(prompt + i, n)) : 0;
		n += !n;
		if (!is_word(c) || c == '_') {
			is_gap = out->len > from;
			continue;
		}
		if (n_chars + is_gap + 1 > EVAL_NAME_MAX) {
			if (!is_gap)
				cut_word(out, from);
			break;
		}
		if (is_gap)
			buf_char(out, '_');
		buf_append(out, bytes, utf8_put(bytes, c));
		n_chars += 1 + is_gap;
		is_gap = false;
	}
	if (out->len == from)
		buf_str(out, "default");
}
