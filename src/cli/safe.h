/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CLI_SAFE_H
#define CLI_SAFE_H

/*
 * Text of a stranger, for a terminal. Whoever hosts an agent decides what comes,
 * and a terminal obeys escape sequences: they set titles, fill the clipboard,
 * hide text. So control characters become visible ones: ESC is "^[", and C1 and
 * the characters that change the direction or are invisible are "<U+202E>".
 * Bytes that are not UTF-8 are "<9B>". Pure functions; for safe_cut() the locale
 * says how wide a character is.
 */
#include "base/buf.h"

#include <stddef.h>

/* Append text; newlines and tabs stay, and "\r\n" is a newline. */
void safe_text(struct buf *out, const char *s, size_t n);

/* Append text as one line: spaces, tabs and newlines in a row are one space. */
void safe_line(struct buf *out, const char *s, size_t n);

/*
 * Append JSON, in which strings stay what they are: characters that a terminal
 * would obey are escaped as \u202e. Line ends between values become spaces.
 */
void safe_json(struct buf *out, const char *s, size_t n);

/*
 * Shorten the line from byte from on to so many columns, and end it with the
 * text more if something was cut off.
 */
void safe_cut(struct buf *line, size_t from, size_t columns, const char *more);

#endif
