/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "ons/ons_ansi.h"

#include "base/buf.h"

#define ESC '\033'
#define BEL '\007'

/* The length of ESC [ parameters intermediates final. */
static size_t csi_len(const char *s, size_t n)
{
	size_t i = 2;
	while (i < n && s[i] >= 0x20 && s[i] < 0x40)
		i++;
	return i < n ? i + 1 : n;
}

/* The length of a string that BEL or ESC \ ends, such as a title. */
static size_t string_len(const char *s, size_t n)
{
	for (size_t i = 2; i < n; i++) {
		if (s[i] == BEL)
			return i + 1;
		if (s[i] == ESC && i + 1 < n && s[i + 1] == '\\')
			return i + 2;
	}
	return n;
}

size_t ons_ansi_len(const char *s, size_t n)
{
	if (!n || *s != ESC)
		return 0;
	if (n == 1)
		return 1;
	if (s[1] == '[')
		return csi_len(s, n);
	if (memchr("]PX^_", s[1], 5))
		return string_len(s, n);
	/* ESC intermediates final, as in ESC ( B */
	size_t i = 1;
	while (i < n && s[i] >= 0x20 && s[i] < 0x30)
		i++;
	return i < n ? i + 1 : n;
}

bool ons_ansi_is(struct span raw, struct span text)
{
	size_t at = 0;
	for (size_t i = 0; i < raw.len;) {
		size_t skip = ons_ansi_len(raw.text + i, raw.len - i);
		if (skip) {
			i += skip;
			continue;
		}
		if (at == text.len || raw.text[i] != text.text[at])
			return false;
		at++;
		i++;
	}
	return at == text.len;
}

void ons_ansi_strip(struct buf *out, struct span raw)
{
	size_t plain = 0;
	for (size_t i = 0; i < raw.len;) {
		size_t skip = ons_ansi_len(raw.text + i, raw.len - i);
		if (!skip) {
			i++;
			continue;
		}
		buf_append(out, raw.text + plain, i - plain);
		i += skip;
		plain = i;
	}
	buf_append(out, raw.text + plain, raw.len - plain);
}
