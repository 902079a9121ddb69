/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef TOOLS_TOOL_TEXT_H
#define TOOLS_TOOL_TEXT_H

/*
 * The text of a result: what a tool reads or a command writes may be any bytes,
 * but a model gets valid UTF-8 of limited size. Pure functions.
 */
#include <stddef.h>

struct buf;

/* Append n bytes; each invalid part, and each NUL, becomes U+FFFD. */
void tool_text_put(struct buf *out, const char *s, size_t n);

/*
 * Cut valid UTF-8 to at most max bytes (at least 200): the head and the tail
 * stay, and a line between them says how much is left out.
 */
void tool_text_cut(struct buf *text, size_t max);

#endif
