/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "tools/tool_text.h"

#include "base/buf.h"
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

/* Room for the line about what is left out. */
#define NOTE_MAX 100

static size_t valid_prefix(const char *s, size_t n)
{
	size_t i = 0, len;

	while (i < n && s[i] != '\0' && (len = utf8_len(s + i, n - i)) > 0)
		i += len;
	return i;
}

void tool_text_put(struct buf *out, const char *s, size_t n)
{
	while (n > 0) {
		size_t valid = valid_prefix(s, n);

		buf_append(out, s, valid);
		if (valid < n) {
			buf_str(out, "\xef\xbf\xbd");
			valid++;
		}
		s += valid;
		n -= valid;
	}
}

void tool_text_cut(struct buf *text, size_t max)
{
	char note[NOTE_MAX];
	struct buf cut = {0};

	if (text->len <= max)
		return;
	size_t half = (max - NOTE_MAX) / 2;
	size_t head = utf8_cut(text->data, text->len, half);
	size_t tail = text->len - half;
	while (tail < text->len &&
	       ((unsigned char)text->data[tail] & 0xc0) == 0x80)
		tail++;
	(void)snprintf(
	    note, sizeof note, "\n... (%zu bytes left out) ...\n", tail - head);
	buf_append(&cut, text->data, head);
	buf_str(&cut, note);
	buf_append(&cut, text->data + tail, text->len - tail);
	buf_fini(text);
	*text = cut;
}
