/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef TOOLS_TOOL_REGEX_H
#define TOOLS_TOOL_REGEX_H

/*
 * A regular expression in the syntax of Perl, which is nearly that of Python,
 * for UTF-8 text that may be invalid. The time and memory of a match are
 * limited, so that no expression can keep a thread busy. For one thread.
 */
#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>

struct tool_regex;

/* Compile it. Returns NULL with ERR_BAD_REQUEST. */
struct tool_regex *tool_regex_new(
    const char *pattern, bool ignores_case, struct err *err);

/* Whether it matches anywhere in the text. */
bool tool_regex_find(struct tool_regex *r, const char *text, size_t len);

/* Whether a match was given up since it took too long. */
bool tool_regex_has_given_up(const struct tool_regex *r);

/* Free it and set *r to NULL. */
void tool_regex_free(struct tool_regex **r);

#endif
