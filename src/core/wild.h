/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_WILD_H
#define CORE_WILD_H

/*
 * File name patterns as Python's fnmatch has them: '*' is any run of
 * characters, '/' and a leading '.' too; '?' is one byte; [abc], [a-z] and
 * [!abc] are one of a set; nothing is escaped. Unlike fnmatch(3) the time is
 * bounded by the product of both lengths.
 */
#include <stdbool.h>

/* Whether the pattern matches the whole text. */
bool wild_match(const char *pattern, const char *text);

#endif
