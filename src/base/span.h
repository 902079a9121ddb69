/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

/*
 * A span is a part of a text that something else owns; it is not
 * NUL-terminated.
 */
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

struct span {
	const char *text; /* NULL: absent */
	size_t len;
};

/* Returns all of a C string, or an absent span for NULL. */
static inline struct span span_cstr(const char *text)
{
	return (struct span){text, text ? strlen(text) : 0};
}

/* Whether c is a space or a tab. */
static inline bool span_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Returns the span without spaces and tabs at both ends. */
static inline struct span span_trim(struct span s)
{
	while (s.len && span_is_blank(*s.text)) {
		s.text++;
		s.len--;
	}
	while (s.len && span_is_blank(s.text[s.len - 1]))
		s.len--;
	return s;
}

/* Whether it equals this text, ignoring the case of ASCII letters. */
static inline bool span_is_like(struct span s, const char *text)
{
	return s.len == strlen(text) && strncasecmp(s.text, text, s.len) == 0;
}

#endif
