/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "tools/tool_capture.h"

#include "tools/tool_text.h"

#include <inttypes.h>
#include <string.h>

void tool_capture_add(struct tool_capture *c, const char *data, size_t len)
{
	size_t room = c->head_max - c->head.len;
	size_t n = len < room ? len : room;

	c->total += len;
	buf_append(&c->head, data, n);
	data += n;
	len -= n;
	if (len > c->tail_max) {
		data += len - c->tail_max;
		len = c->tail_max;
	}
	if (c->tail.len + len > 2 * c->tail_max)
		buf_consume(&c->tail, c->tail.len + len - c->tail_max);
	buf_append(&c->tail, data, len);
}

/* Returns the length without white space at the end. */
static size_t trimmed(const char *s, size_t n)
{
	while (n > 0 && strchr(" \t\r\n", s[n - 1]))
		n--;
	return n;
}

void tool_capture_put(struct buf *out, const struct tool_capture *c)
{
	struct buf text = {0};
	size_t kept = c->tail.len < c->tail_max ? c->tail.len : c->tail_max;
	uint64_t missing = c->total - c->head.len - kept;

	buf_append(&text, c->head.data, c->head.len);
	if (missing)
		buf_printf(
		    &text, "\n... (%" PRIu64 " bytes left out) ...\n", missing);
	if (kept)
		buf_append(&text, c->tail.data + c->tail.len - kept, kept);
	tool_text_put(out, text.data, trimmed(text.data, text.len));
	buf_fini(&text);
}

void tool_capture_fini(struct tool_capture *c)
{
	buf_fini(&c->head);
	buf_fini(&c->tail);
}
