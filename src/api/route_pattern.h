/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef API_ROUTE_PATTERN_H
#define API_ROUTE_PATTERN_H

/*
 * The paths of an agent's own HTTP routes (spec 1.8): "/public/report/{id}".
 * The first segment says who may call; "{name}" stands for one or more
 * characters that are not '/', as many as it can. Pure.
 *
 * Paths are matched decoded (base/percent.h), as the router of the Python
 * package has them: so "a%2Fb" is two segments, and no name stands for a '/'.
 */
#include <stdbool.h>
#include <stddef.h>

struct buf;

/* Most names in a path. */
#define PUBLISH_ROUTE_NAMES 16

/* Who may call a route. */
enum publish_audience {
	PUBLISH_NOBODY, /* it is no route of an agent */
	PUBLISH_PUBLIC,
	PUBLISH_CONTACTS, /* and admins */
	PUBLISH_ADMIN,
};

/* Who may call, by the first segment; PUBLISH_NOBODY for a malformed path. */
enum publish_audience route_pattern_audience(const char *pattern);

/*
 * Whether a decoded path, which is UTF-8, is of the valid pattern. If so, what
 * the names stand for is appended as a JSON object.
 */
bool route_pattern_match(
    const char *pattern, const char *path, struct buf *params);

/*
 * Of two patterns that match one path: above 0 when a counts, below 0 when b
 * does, which is who has more fixed characters, in the first segment that
 * differs.
 */
int route_pattern_compare(const char *a, const char *b);

#endif
