/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "runner/scribe.h"

#include <stdio.h>
#include <string.h>

static void tell_dropped(struct scribe *s, scribe_fn *fn, void *arg)
{
	char text[64];

	if (!s->dropped)
		return;
	int n = snprintf(text, sizeof text, "(%u lines dropped)", s->dropped);
	s->dropped = 0;
	fn(arg, text, (size_t)n);
}

static void give_out(struct scribe *s, int64_t now_ms, scribe_fn *fn, void *arg)
{
	if (s->second != now_ms / 1000) {
		s->second = now_ms / 1000;
		s->lines = 0;
		tell_dropped(s, fn, arg);
	}
	if (s->lines++ < SCRIBE_LINES)
		fn(arg, s->line.data, s->line.len);
	else
		s->dropped++;
	buf_reset(&s->line);
}

static void scribe_add(struct scribe *s, const char *data, size_t len)
{
	size_t room = SCRIBE_LINE_MAX - s->line.len;

	buf_append(&s->line, data, len < room ? len : room);
}

void scribe_feed(struct scribe *s, const char *data, size_t len, int64_t now_ms,
    scribe_fn *fn, void *arg)
{
	const char *end;

	while (len && (end = memchr(data, '\n', len))) {
		size_t n = (size_t)(end - data);
		scribe_add(s, data, n);
		if (s->line.len)
			give_out(s, now_ms, fn, arg);
		data += n + 1;
		len -= n + 1;
	}
	scribe_add(s, data, len);
}

void scribe_end(struct scribe *s, scribe_fn *fn, void *arg)
{
	if (s->line.len)
		fn(arg, s->line.data, s->line.len);
	tell_dropped(s, fn, arg);
	buf_fini(&s->line);
}
