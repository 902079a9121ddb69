/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/sse.h"

#include <string.h>

#define BOM "\xef\xbb\xbf"

static enum sse_result dispatch(struct sse *s)
{
	bool is_going_on = true;

	/* The callback may find the id of its event. */
	buf_reset(&s->id);
	buf_append(&s->id, s->next_id.data, s->next_id.len);
	if (s->has_data)
		is_going_on = s->fn(s->arg, buf_cstr(&s->name),
		    buf_cstr(&s->data), s->data.len);
	buf_reset(&s->name);
	buf_reset(&s->data);
	s->has_data = false;
	return is_going_on ? SSE_FED : SSE_STOPPED;
}

static bool is_field(const char *line, size_t len, const char *name)
{
	return len == strlen(name) && memcmp(line, name, len) == 0;
}

/* An id with a NUL is ignored, as the standard says. */
static void take_id(struct sse *s, const char *value, size_t len)
{
	if (len > SSE_MAX_ID || memchr(value, '\0', len))
		return;
	buf_reset(&s->next_id);
	buf_append(&s->next_id, value, len);
}

/* Digits only; what is longer is no time that anybody waits. */
static void take_retry(struct sse *s, const char *value, size_t len)
{
	int64_t ms = 0;

	for (size_t i = 0; i < len; i++) {
		if (len > 9 || value[i] < '0' || value[i] > '9')
			return;
		ms = ms * 10 + (value[i] - '0');
	}
	if (len)
		s->retry_ms = ms;
}

static void take_field(struct sse *s, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);
	size_t name_len = colon ? (size_t)(colon - line) : len;
	const char *value = line + (colon ? name_len + 1 : len);
	size_t value_len = (size_t)(line + len - value);

	if (value_len && *value == ' ') {
		value++;
		value_len--;
	}
	if (is_field(line, name_len, "data")) {
		if (s->has_data)
			buf_char(&s->data, '\n');
		s->has_data = true;
		buf_append(&s->data, value, value_len);
	} else if (is_field(line, name_len, "event")) {
		buf_reset(&s->name);
		buf_append(&s->name, value, value_len);
	} else if (is_field(line, name_len, "id")) {
		take_id(s, value, value_len);
	} else if (is_field(line, name_len, "retry")) {
		take_retry(s, value, value_len);
	}
}

static enum sse_result take_line(struct sse *s)
{
	const char *line = s->line.data;
	size_t len = s->line.len;
	enum sse_result result = SSE_FED;

	if (!s->is_begun && len >= 3 && memcmp(line, BOM, 3) == 0) {
		line += 3;
		len -= 3;
	}
	s->is_begun = true;
	if (len == 0)
		result = dispatch(s);
	else
		take_field(s, line, len);
	buf_reset(&s->line);
	return result;
}

/* Returns the length of what stands before the end of a line. */
static size_t find_end(const char *p, size_t n)
{
	const char *lf = memchr(p, '\n', n);
	size_t len = lf ? (size_t)(lf - p) : n;
	const char *cr = memchr(p, '\r', len);

	return cr ? (size_t)(cr - p) : len;
}

enum sse_result sse_feed(struct sse *s, const char *p, size_t n)
{
	enum sse_result result = SSE_FED;

	while (n > 0 && result == SSE_FED) {
		if (s->is_after_cr && *p == '\n') {
			s->is_after_cr = false;
			p++;
			n--;
			continue;
		}
		size_t len = find_end(p, n);
		if (s->line.len + s->data.len + len > s->max_bytes)
			return SSE_TOO_LONG;
		buf_append(&s->line, p, len);
		s->is_after_cr = len < n && p[len] == '\r';
		if (len < n) {
			result = take_line(s);
			len++;
		}
		p += len;
		n -= len;
	}
	return result;
}

enum sse_result sse_end(struct sse *s)
{
	enum sse_result result = SSE_FED;

	if (s->line.len)
		result = take_line(s);
	return result == SSE_FED ? dispatch(s) : result;
}

void sse_fini(struct sse *s)
{
	buf_fini(&s->id);
	buf_fini(&s->next_id);
	buf_fini(&s->line);
	buf_fini(&s->name);
	buf_fini(&s->data);
}
