/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef API_ROUTE_PATTERN_H
#define API_ROUTE_PATTERN_H

/*
 * Patterns of an agent's own HTTP routes (spec 1.8): "/public/report/{id}". The
 * first segment determines who may call; "{name}" matches one or more
 * characters except '/', as many as possible. Pure functions.
 *
 * Paths are matched in decoded form (base/percent.h), as in the router of the
 * Python package: "a%2Fb" is two segments, and no name matches a '/'.
 */
#include <stdbool.h>
#include <stddef.h>

struct buf;

/* The maximum number of names in a path. */
#define PUBLISH_ROUTE_NAMES 16

/* Who may call a route. */
enum publish_audience {
	PUBLISH_NOBODY, /* not a route of an agent */
	PUBLISH_PUBLIC,
	PUBLISH_CONTACTS, /* and admins */
	PUBLISH_ADMIN,
};

/*
 * Returns who may call, according to the first segment; PUBLISH_NOBODY if the
 * pattern is malformed.
 */
enum publish_audience route_pattern_audience(const char *pattern);

/*
 * Whether a decoded path, which is UTF-8, matches the valid pattern. If so, the
 * values of the names are appended as a JSON object.
 */
bool route_pattern_match(
    const char *pattern, const char *path, struct buf *params);

/*
 * Compare two patterns that match the same path. Returns > 0 if a takes
 * precedence, < 0 if b does, 0 if neither: the one with more fixed characters
 * in the first segment that differs.
 */
int route_pattern_compare(const char *a, const char *b);

#endif
