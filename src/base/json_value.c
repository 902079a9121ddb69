/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/json_int.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

/* Returns the value of a hex digit, or -1. */
static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static uint32_t hex4(const char *s)
{
	uint32_t c = 0;

	for (int i = 0; i < 4; i++)
		c = c << 4 | (uint32_t)hex_value(s[i]);
	return c;
}

/*
 * Returns the character of the \u escape at *at, or of two that form a
 * surrogate pair.
 */
static uint32_t read_unicode(const char **at, const char *end)
{
	uint32_t c = hex4(*at + 2);

	*at += 6;
	if (!json_is_high(c) || end - *at < 6 || (*at)[0] != '\\' ||
	    (*at)[1] != 'u')
		return c;
	uint32_t low = hex4(*at + 2);
	if (!json_is_low(low))
		return c;
	*at += 6;
	return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
}

uint32_t json_char(const char **at, const char *end)
{
	const char *s = *at;

	if (*s != '\\') {
		size_t len = utf8_len(s, (size_t)(end - s));
		*at += len;
		return utf8_get(s, len);
	}
	if (s[1] == 'u')
		return read_unicode(at, end);
	*at += 2;
	switch (s[1]) {
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	default:
		return (unsigned char)s[1];
	}
}

/* Append the un-escaped bytes of a string that is known to have escapes. */
static void append_unescaped(struct buf *out, const struct json *v)
{
	const char *s = v->text, *end = s + v->len;
	/* Un-escaped text is never longer: \uXXXX becomes at most 3 bytes. */
	char *to = buf_reserve(out, v->len);

	while (s < end) {
		uint32_t c = json_char(&s, end);
		if (json_is_high(c) || json_is_low(c))
			c = 0xfffd;
		size_t n = utf8_put(to, c);
		to += n;
		out->len += n;
	}
}

enum json_type json_type(const struct json *v)
{
	return v ? (enum json_type)v->type : JSON_NULL;
}

bool json_is(const struct json *v, enum json_type type)
{
	return v && v->type == type;
}

const char *json_text(const struct json *v, size_t *len)
{
	*len = 0;
	if (!v)
		return "";
	*len = v->len;
	if (v->type != JSON_STRING)
		return v->text;
	*len += 2;
	return v->text - 1;
}

size_t json_count(const struct json *v)
{
	return v ? v->count : 0;
}

/* Whether a string equals this text. Most keys and words have no escapes. */
static bool json_value_is_text(const struct json *v, const char *s, size_t len)
{
	if (v->len < len)
		return false;
	if (!(v->flags & HAS_ESCAPE))
		return v->len == len && !memcmp(v->text, s, len);

	struct buf plain = {0};
	append_unescaped(&plain, v);
	bool same = plain.len == len && !memcmp(plain.data, s, len);
	buf_fini(&plain);
	return same;
}

const struct json *json_get(const struct json *object, const char *key)
{
	const struct json *found = NULL;
	if (!json_is(object, JSON_OBJECT))
		return NULL;

	size_t len = strlen(key);
	for (const struct json *m = object->child; m; m = m->next) {
		if (json_value_is_text(m->key, key, len))
			found = m;
	}
	return found;
}

const struct json *json_first(const struct json *v)
{
	bool has_members = json_is(v, JSON_ARRAY) || json_is(v, JSON_OBJECT);

	return has_members ? v->child : NULL;
}

const struct json *json_next(const struct json *v)
{
	return v ? v->next : NULL;
}

const struct json *json_key(const struct json *member)
{
	return member ? member->key : NULL;
}

bool json_str_is(const struct json *v, const char *s)
{
	return json_is(v, JSON_STRING) && json_value_is_text(v, s, strlen(s));
}

const char *json_str(const struct json *v, struct buf *scratch, size_t *len)
{
	*len = 0;
	if (!json_is(v, JSON_STRING))
		return NULL;
	if (!(v->flags & HAS_ESCAPE)) {
		*len = v->len;
		return v->text;
	}
	size_t from = scratch->len;
	append_unescaped(scratch, v);
	*len = scratch->len - from;
	return scratch->data + from;
}

char *json_strdup(const struct json *v)
{
	struct buf plain = {0};
	size_t len;
	const char *s = json_str(v, &plain, &len);
	char *copy = NULL;

	if (s && !memchr(s, '\0', len))
		copy = mem_strndup(s, len);
	buf_fini(&plain);
	return copy;
}

bool json_int(const struct json *v, int64_t *out)
{
	if (!json_is(v, JSON_NUMBER))
		return false;

	const char *s = v->text, *end = s + v->len;
	bool is_negative = *s == '-';
	uint64_t n = 0;
	uint64_t most = (uint64_t)INT64_MAX + is_negative;
	for (s += is_negative; s < end; s++) {
		if (*s < '0' || *s > '9')
			return false;
		unsigned digit = (unsigned)(*s - '0');
		if (n > (most - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*out = (int64_t)(is_negative ? 0 - n : n);
	return true;
}

/* The daemon never calls setlocale(), so strtod() expects a point. */
bool json_double(const struct json *v, double *out)
{
	char copy[JSON_MAX_NUMBER + 1];
	if (!json_is(v, JSON_NUMBER))
		return false;

	memcpy(copy, v->text, v->len);
	copy[v->len] = '\0';
	*out = strtod(copy, NULL);
	return true;
}

bool json_bool(const struct json *v, bool *out)
{
	if (!json_is(v, JSON_BOOL))
		return false;
	*out = *v->text == 't';
	return true;
}

static bool is_one_of(const struct json *key, const char *const *names)
{
	while (*names && !json_str_is(key, *names))
		names++;
	return *names != NULL;
}

void json_put_without(
    struct buf *out, const struct json *object, const char *const *names)
{
	bool is_first = true;
	buf_char(out, '{');
	for (const struct json *v = json_first(object); v; v = json_next(v)) {
		size_t key_len, len;
		const char *key = json_text(json_key(v), &key_len);
		const char *text = json_text(v, &len);
		if (is_one_of(json_key(v), names))
			continue;
		if (!is_first)
			buf_char(out, ',');
		is_first = false;
		buf_append(out, key, key_len);
		buf_char(out, ':');
		buf_append(out, text, len);
	}
	buf_char(out, '}');
}
