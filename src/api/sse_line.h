/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef API_SSE_LINE_H
#define API_SSE_LINE_H

/*
 * JSON as the data of a server-sent event, which must be one line. Pure
 * functions.
 */
#include <stddef.h>

struct buf;

/*
 * Make the JSON text in out from this offset on a single line for every reader.
 * The standard ends lines at LF and CR; libraries that split text by Unicode's
 * rules also do so at U+0085, U+2028 and U+2029, which JSON may contain
 * unescaped: they become \u escapes. LF and CR can only be white space between
 * tokens, and become spaces.
 */
void sse_line_fit(struct buf *out, size_t from);

#endif
