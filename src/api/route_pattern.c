/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "api/route_pattern.h"

#include "base/buf.h"
#include "base/span.h"

#include <ctype.h>
#include <string.h>

/* A pattern in parts: fixed[0] {names[0]} fixed[1] ... fixed[n]. */
struct parts {
	struct span fixed[PUBLISH_ROUTE_NAMES + 1];
	struct span names[PUBLISH_ROUTE_NAMES];
	size_t n;
};

/* ---- patterns ---- */

/* The length of "{name}" at s, or 0. */
static size_t name_len(const char *s)
{
	size_t n = 1;
	if (!isalpha((unsigned char)s[n]) && s[n] != '_')
		return 0;
	while (isalnum((unsigned char)s[n]) || s[n] == '_')
		n++;
	return s[n] == '}' ? n + 1 : 0;
}

static bool has_name(const struct parts *p, const char *name, size_t len)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->names[i].len == len &&
		    memcmp(p->names[i].text, name, len) == 0)
			return true;
	return false;
}

static bool take_apart(struct parts *p, const char *s)
{
	*p = (struct parts){.n = 0};
	for (;;) {
		size_t len = strcspn(s, "{}");
		p->fixed[p->n] = (struct span){s, len};
		s += len;
		if (!*s)
			return true;
		size_t n = *s == '{' ? name_len(s) : 0;
		if (!n || p->n == PUBLISH_ROUTE_NAMES ||
		    has_name(p, s + 1, n - 2))
			return false;
		p->names[p->n++] = (struct span){s + 1, n - 2};
		s += n;
	}
}

/* Whether no segment is empty, "." or "..". */
static bool is_clean(const char *path)
{
	while (*path == '/') {
		size_t len = strcspn(++path, "/");
		if (!len || (len == 1 && *path == '.') ||
		    (len == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		path += len;
	}
	return !*path;
}

enum publish_audience route_pattern_audience(const char *pattern)
{
	static const struct {
		const char *prefix;
		enum publish_audience audience;
	} prefixes[] = {
	    {"/public/", PUBLISH_PUBLIC},
	    {"/contacts/", PUBLISH_CONTACTS},
	    {"/admin/", PUBLISH_ADMIN},
	};
	struct parts parts;
	if (!take_apart(&parts, pattern) || !is_clean(pattern) ||
	    strpbrk(pattern, "?#"))
		return PUBLISH_NOBODY;
	for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
		if (strncmp(pattern, prefixes[i].prefix,
			strlen(prefixes[i].prefix)) == 0)
			return prefixes[i].audience;
	return PUBLISH_NOBODY;
}

/* ---- matching ---- */

static bool is_at(const struct span *fixed, const char *s)
{
	return memcmp(fixed->text, s, fixed->len) == 0;
}

/*
 * Find where the fixed text before a value begins. The value ends before 'end'
 * and has at least one character. The search goes from right to left, which
 * makes earlier values as long as possible. Returns -1 if there is no such
 * place.
 */
static long find_back(const struct span *fixed, const char *path, size_t end)
{
	for (size_t at = end - 1; at > 0 && path[at] != '/'; at--)
		if (at >= fixed->len && is_at(fixed, path + at - fixed->len))
			return (long)(at - fixed->len);
	return -1;
}

/* Find the values of the names. Returns false if the path does not match. */
static bool find_values(
    const struct parts *p, const char *path, struct span *values)
{
	size_t len = strlen(path), first = p->fixed[0].len;
	const struct span *tail = &p->fixed[p->n];
	if (len < first + tail->len || !is_at(&p->fixed[0], path) ||
	    !is_at(tail, path + len - tail->len))
		return false;
	size_t end = len - tail->len;
	for (size_t i = p->n; i-- > 1;) {
		long at = find_back(&p->fixed[i], path, end);
		if (at < 0)
			return false;
		size_t begin = (size_t)at + p->fixed[i].len;
		values[i] = (struct span){path + begin, end - begin};
		end = (size_t)at;
	}
	if (end <= first || memchr(path + first, '/', end - first))
		return false;
	values[0] = (struct span){path + first, end - first};
	return true;
}

bool route_pattern_match(
    const char *pattern, const char *path, struct buf *params)
{
	struct parts parts;
	struct span values[PUBLISH_ROUTE_NAMES];
	if (!take_apart(&parts, pattern))
		return false;
	if (parts.n ? !find_values(&parts, path, values)
		    : strcmp(pattern, path) != 0)
		return false;
	buf_char(params, '{');
	for (size_t i = 0; i < parts.n; i++) {
		if (i)
			buf_char(params, ',');
		buf_json(params, parts.names[i].text, parts.names[i].len);
		buf_char(params, ':');
		buf_json(params, values[i].text, values[i].len);
	}
	buf_char(params, '}');
	return true;
}

/* ---- precedence ---- */

/* Count the fixed characters of the segment at *s and advance past it. */
static int count_fixed(const char **s)
{
	int n = 0;
	for (; **s && **s != '/'; ++*s) {
		if (**s == '{')
			*s = strchr(*s, '}');
		else
			/* Count only bytes that begin a character. */
			n += ((unsigned char)**s & 0xc0) != 0x80;
	}
	*s += **s == '/';
	return n;
}

int route_pattern_compare(const char *a, const char *b)
{
	while (*a && *b) {
		int difference = count_fixed(&a) - count_fixed(&b);
		if (difference)
			return difference;
	}
	return 0;
}
