/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef TOOLS_TOOL_PATTERN_H
#define TOOLS_TOOL_PATTERN_H

/*
 * Patterns of paths: parts between slashes, each a pattern of base/wild.h,
 * which does not match a slash here; the part "**" stands for any number of
 * folders. Pure functions, whose time is bounded by the product of the lengths.
 */
#include <stdbool.h>

/* The maximum number of parts of a pattern or path. */
#define TOOL_PATTERN_PARTS 100

/* Whether the pattern matches the whole path. */
bool tool_pattern_match(const char *pattern, const char *path);

/* Whether a path in this folder, or below it, can match the pattern. */
bool tool_pattern_may_match_below(const char *pattern, const char *folder);

/*
 * Whether the pattern matches the path or its last parts, so many as the
 * pattern has.
 */
bool tool_pattern_match_end(const char *pattern, const char *path);

#endif
