/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/percent.h"

#include "base/buf.h"
#include "base/enc.h"
#include "base/utf8.h"

/*
 * Returns how many of the n > 0 bytes at s, which are not valid UTF-8, begin
 * one truncated character; at least 1.
 */
static size_t broken_len(const char *s, size_t n)
{
	char whole[4] = {s[0], '\x80', '\x80', '\x80'};
	size_t i = 1;

	/* After these lead bytes only some continuation bytes are valid. */
	if (n > 1 && ((unsigned char)s[1] & 0xc0) == 0x80)
		whole[1] = s[1];
	size_t len = utf8_len(whole, sizeof whole);
	while (i < len && i < n && ((unsigned char)s[i] & 0xc0) == 0x80)
		i++;
	return i;
}

static void append_text(struct buf *out, const char *s, size_t n)
{
	while (n) {
		size_t len = utf8_len(s, n);
		if (len) {
			buf_append(out, s, len);
		} else {
			len = broken_len(s, n);
			buf_str(out, "\xef\xbf\xbd");
		}
		s += len;
		n -= len;
	}
}

void percent_bytes(struct buf *out, const char *s, size_t n, bool has_plus)
{
	for (size_t i = 0; i < n; i++) {
		char byte = s[i];
		if (byte == '+' && has_plus)
			byte = ' ';
		else if (byte == '%' && n - i > 2 &&
			 enc_unhex(&byte, s + i + 1, 1))
			i += 2;
		buf_char(out, byte);
	}
}

void percent_text(struct buf *out, const char *s, size_t n, bool has_plus)
{
	struct buf bytes = {0};

	percent_bytes(&bytes, s, n, has_plus);
	append_text(out, bytes.data, bytes.len);
	buf_fini(&bytes);
}
