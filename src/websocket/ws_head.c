/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "websocket/ws_head.h"

#include <ctype.h>

#define VERSION "HTTP/1."

/* Cut the first line off the front of s, without its end. */
static struct span cut_line(struct span *s)
{
	struct span line = *s;
	const char *end = s->len ? memchr(s->text, '\n', s->len) : NULL;
	size_t skip = s->len;

	if (end) {
		line.len = (size_t)(end - s->text);
		skip = line.len + 1;
	}
	s->text += skip;
	s->len -= skip;
	if (line.len && line.text[line.len - 1] == '\r')
		line.len--;
	return line;
}

/* "HTTP/1.1 101 Switching Protocols"; the reason may be missing. */
static bool read_status(struct ws_head *h, struct span line)
{
	size_t at = sizeof VERSION; /* the minor version stands before it */

	if (line.len < at + 4 ||
	    strncmp(line.text, VERSION, sizeof VERSION - 1) != 0 ||
	    line.text[at] != ' ')
		return false;
	for (size_t i = at + 1; i < at + 4; i++) {
		if (!isdigit((unsigned char)line.text[i]))
			return false;
		h->status = h->status * 10 + (line.text[i] - '0');
	}
	h->reason = (struct span){line.text + at + 4, line.len - at - 4};
	if (h->reason.len && *h->reason.text != ' ')
		return false;
	h->reason = span_trim(h->reason);
	return true;
}

enum ws_head_result ws_head_read(struct ws_head *h, const char *bytes, size_t n)
{
	struct span rest = {bytes, n};

	*h = (struct ws_head){.status = 0};
	if (n && bytes[0] != 'H')
		return WS_HEAD_BAD;
	const char *end = n ? memmem(bytes, n, "\r\n\r\n", 4) : NULL;
	if ((end ? (size_t)(end - bytes) : n) > WS_HEAD_MAX_BYTES)
		return WS_HEAD_BAD;
	if (!end)
		return WS_HEAD_MORE;
	h->len = (size_t)(end - bytes) + 4;
	rest.len = h->len - 2;
	if (!read_status(h, cut_line(&rest)))
		return WS_HEAD_BAD;
	h->fields = rest;
	return WS_HEAD_DONE;
}

/*
 * Get the next field of this name. Lines that are no fields are skipped; a
 * folded one counts as such.
 */
static bool next_value(struct span *rest, const char *name, struct span *value)
{
	while (rest->len) {
		struct span line = cut_line(rest);
		const char *colon =
		    line.len ? memchr(line.text, ':', line.len) : NULL;
		if (!colon)
			continue;
		size_t n = (size_t)(colon - line.text);
		if (!span_is_like((struct span){line.text, n}, name))
			continue;
		*value = span_trim((struct span){colon + 1, line.len - n - 1});
		return true;
	}
	return false;
}

size_t ws_head_find(
    const struct ws_head *h, const char *name, struct span *value)
{
	struct span rest = h->fields, other;
	size_t n = 0;

	*value = (struct span){NULL, 0};
	while (next_value(&rest, name, n ? &other : value))
		n++;
	return n;
}

static bool lists(struct span value, const char *token)
{
	while (value.len) {
		const char *comma = memchr(value.text, ',', value.len);
		struct span part = value;
		if (comma)
			part.len = (size_t)(comma - value.text);
		if (span_is_like(span_trim(part), token))
			return true;
		size_t skip = comma ? part.len + 1 : part.len;
		value.text += skip;
		value.len -= skip;
	}
	return false;
}

bool ws_head_lists(const struct ws_head *h, const char *name, const char *token)
{
	struct span rest = h->fields, value;

	while (next_value(&rest, name, &value))
		if (lists(value, token))
			return true;
	return false;
}
