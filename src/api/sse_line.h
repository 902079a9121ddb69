/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef API_SSE_LINE_H
#define API_SSE_LINE_H

/* JSON as the data of a server-sent event, which is one line. Pure. */
#include <stddef.h>

struct buf;

/*
 * Make the JSON text at the end of out, from this offset on, one line for every
 * reader. The standard ends lines at LF and CR; libraries that split text by
 * Unicode's rules do so at U+0085, U+2028 and U+2029 as well, which JSON may
 * hold as they are: they become \u escapes, and LF and CR, which can only be
 * white space between tokens, become spaces.
 */
void sse_line_fit(struct buf *out, size_t from);

#endif
