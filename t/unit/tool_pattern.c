/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "tools/tool_pattern.h"

#include <stddef.h>

#include "t/unit/tap.h"

static const struct {
	const char *pattern;
	const char *path;
	bool is_match;
} whole[] = {
    {"*.py", "a.py", true},
    {"*.py", "src/a.py", false},
    {"**/*.py", "a.py", true},
    {"**/*.py", "src/deep/a.py", true},
    {"src/**/*.ts", "src/a.ts", true},
    {"src/**/*.ts", "src/x/y/a.ts", true},
    {"src/**/*.ts", "lib/a.ts", false},
    {"src/**", "src/x/y", true},
    {"**", "x", true},
    {"./a?.[ch]", "ab.c", true},
    {"a?.[ch]", "ab.o", false},
    {"**/**/x", "a/x", true},
    {"", "x", false},
    {"x", "", false},
};

static const struct {
	const char *pattern;
	const char *folder;
	bool may_match;
} below[] = {
    {"*.py", "src", false},
    {"*/a.py", "src", true},
    {"src/*.py", "src", true},
    {"src/*.py", "lib", false},
    {"src/*/x/*.py", "src/a", true},
    {"src/*/x/*.py", "src/a/y", false},
    {"**/*.py", "a/b/c", true},
    {"src/**", "src/a/b", true},
};

static const struct {
	const char *pattern;
	const char *path;
	bool is_match;
} ends[] = {
    {"*.py", "src/a.py", true},
    {"src/*.py", "x/src/a.py", true},
    {"src/*.py", "src/x/a.py", false},
    {"a/b/c.py", "b/c.py", false},
    {"", "a", false},
};

int main(void)
{
	for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
		ok(tool_pattern_match(whole[i].pattern, whole[i].path) ==
			whole[i].is_match,
		    "the pattern '%s' %s the path '%s'", whole[i].pattern,
		    whole[i].is_match ? "matches" : "does not match",
		    whole[i].path);
	for (size_t i = 0; i < sizeof below / sizeof *below; i++)
		ok(tool_pattern_may_match_below(
		       below[i].pattern, below[i].folder) == below[i].may_match,
		    "a path below '%s' %s the pattern '%s'", below[i].folder,
		    below[i].may_match ? "may match" : "cannot match",
		    below[i].pattern);
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		ok(tool_pattern_match_end(ends[i].pattern, ends[i].path) ==
			ends[i].is_match,
		    "the pattern '%s' %s the end of '%s'", ends[i].pattern,
		    ends[i].is_match ? "matches" : "does not match",
		    ends[i].path);

	char deep[4 * TOOL_PATTERN_PARTS];
	for (size_t i = 0; i + 1 < sizeof deep; i++)
		deep[i] = "a/"[i % 2];
	deep[sizeof deep - 1] = '\0';
	ok(!tool_pattern_match("**", deep),
	    "a path with too many parts matches no pattern");
	return done();
}
