/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BASE_WILD_H
#define BASE_WILD_H

/*
 * File name patterns with the semantics of Python's fnmatch: '*' is any run of
 * characters, including '/' and a leading '.'; '?' is one byte; [abc], [a-z]
 * and [!abc] match one of a set; nothing is escaped. Unlike with fnmatch(3),
 * the time is bounded by the product of both lengths. Pure function.
 */
#include <stdbool.h>

/* Whether the pattern matches the whole text. */
bool wild_match(const char *pattern, const char *text);

#endif
