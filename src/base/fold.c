/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/fold.h"

#include "base/buf.h"
#include "base/utf8.h"

#include <locale.h>
#include <wctype.h>

static locale_t locale;

/* Without a locale of the C library, only ASCII has capital letters. */
static uint32_t small(uint32_t c)
{
	return locale ? (uint32_t)towlower_l((wint_t)c, locale) : c;
}

static char ascii_small(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/*
 * A small letter has at most one byte more than its capital letter, which then
 * has two: U+023A becomes U+2C65.
 */
static size_t most_bytes(size_t len)
{
	return len + len / 2 + 1;
}

void fold_put(struct buf *out, const char *text, size_t len)
{
	char *to = buf_reserve(out, most_bytes(len)), *begin = to;

	if (!locale)
		locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	for (size_t i = 0, n = 1; i < len; i += n) {
		n = (unsigned char)text[i] < 0x80 ? 1
						  : utf8_len(text + i, len - i);
		if (n > 1) {
			to += utf8_put(to, small(utf8_get(text + i, n)));
		} else {
			n = 1;
			*to++ = ascii_small(text[i]);
		}
	}
	out->len += (size_t)(to - begin);
}
