/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/wild.h"

#include <stddef.h>
#include <string.h>

/*
 * Returns the end of the set that starts after '[', or NULL if the '[' is an
 * ordinary character.
 */
static const char *set_end(const char *set)
{
	const char *s = set + (*set == '!');
	if (*s == ']')
		s++;
	return strchr(s, ']');
}

static bool set_holds(const char *set, const char *end, unsigned char c)
{
	bool is_negated = *set == '!';
	bool is_in = false;
	for (const char *s = set + is_negated; s < end; s++) {
		unsigned char low = (unsigned char)*s, high = low;
		if (s + 2 < end && s[1] == '-') {
			high = (unsigned char)s[2];
			s += 2;
		}
		is_in = is_in || (low <= c && c <= high);
	}
	return is_in != is_negated;
}

/* Match one byte with the element at *pattern, and move past that. */
static bool match_one(const char **pattern, char c)
{
	const char *p = *pattern;
	const char *end = *p == '[' ? set_end(p + 1) : NULL;
	*pattern = end ? end + 1 : p + 1;
	if (end)
		return set_holds(p + 1, end, (unsigned char)c);
	return *p == '?' || *p == c;
}

bool wild_match(const char *pattern, const char *text)
{
	const char *star = NULL, *again = NULL;
	while (*text) {
		if (*pattern == '*') {
			star = ++pattern;
			again = text;
			continue;
		}
		if (*pattern && match_one(&pattern, *text)) {
			text++;
			continue;
		}
		if (!star)
			return false;
		/* Let the last star match one byte more. */
		pattern = star;
		text = ++again;
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}
