/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "tools/tool_pattern.h"

#include "base/mem.h"
#include "base/wild.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct parts {
	char *copy;
	const char *list[TOOL_PATTERN_PARTS];
	size_t n;
	bool is_long; /* has more parts than the maximum */
};

static void split(struct parts *p, const char *text)
{
	char *rest = NULL;

	p->n = 0;
	p->is_long = false;
	p->copy = mem_strdup(text);
	for (char *part = strtok_r(p->copy, "/", &rest); part;
	     part = strtok_r(NULL, "/", &rest)) {
		if (strcmp(part, ".") == 0)
			continue;
		if (p->n == TOOL_PATTERN_PARTS) {
			p->is_long = true;
			return;
		}
		p->list[p->n++] = part;
	}
}

static bool is_any(const char *part)
{
	return strcmp(part, "**") == 0;
}

/*
 * Which beginnings of the pattern match what was read of the path; after[i]:
 * its first i parts do.
 */
struct progress {
	bool after[TOOL_PATTERN_PARTS + 1];
};

/* "**" may also stand for no folder. */
static void skip_any(struct progress *now, const struct parts *pattern)
{
	for (size_t i = 0; i < pattern->n; i++)
		if (now->after[i] && is_any(pattern->list[i]))
			now->after[i + 1] = true;
}

static void read_part(
    struct progress *now, const struct parts *pattern, const char *part)
{
	struct progress next = {{false}};

	for (size_t i = 0; i < pattern->n; i++) {
		if (!now->after[i])
			continue;
		if (is_any(pattern->list[i]))
			next.after[i] = true;
		else if (wild_match(pattern->list[i], part))
			next.after[i + 1] = true;
	}
	*now = next;
	skip_any(now, pattern);
}

static bool read_path(struct progress *now, struct parts *pattern,
    const char *pattern_text, const char *path_text)
{
	struct parts path;

	split(pattern, pattern_text);
	split(&path, path_text);
	*now = (struct progress){{true}};
	skip_any(now, pattern);
	for (size_t i = 0; i < path.n; i++)
		read_part(now, pattern, path.list[i]);
	free(path.copy);
	return !pattern->is_long && !path.is_long;
}

bool tool_pattern_match(const char *pattern, const char *path)
{
	struct progress now;
	struct parts parts;
	bool is_match =
	    read_path(&now, &parts, pattern, path) && now.after[parts.n];

	free(parts.copy);
	return is_match;
}

bool tool_pattern_may_match_below(const char *pattern, const char *folder)
{
	struct progress now;
	struct parts parts;
	bool may_match = false;

	if (read_path(&now, &parts, pattern, folder))
		for (size_t i = 0; i < parts.n; i++)
			may_match = may_match || now.after[i];
	free(parts.copy);
	return may_match;
}

bool tool_pattern_match_end(const char *pattern, const char *path)
{
	struct parts p, t;
	bool is_match;

	split(&p, pattern);
	split(&t, path);
	is_match = !p.is_long && !t.is_long && p.n > 0 && p.n <= t.n;
	for (size_t i = 0; is_match && i < p.n; i++)
		is_match = wild_match(p.list[i], t.list[t.n - p.n + i]);
	free(p.copy);
	free(t.copy);
	return is_match;
}
