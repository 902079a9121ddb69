/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ONS_ONS_ANSI_H
#define ONS_ONS_ANSI_H

/*
 * The escape sequences of terminals (ECMA-48) in text: colours, titles, moves
 * of the cursor. Pure functions.
 */
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>

struct buf;

/*
 * Returns the length of the escape sequence with which n bytes at s begin; 0 if
 * they begin with none. One that is cut off extends to the end.
 */
size_t ons_ansi_len(const char *s, size_t n);

/* Whether 'raw' without its escape sequences is exactly this text. */
bool ons_ansi_is(struct span raw, struct span text);

/* Append 'raw' without its escape sequences. */
void ons_ansi_strip(struct buf *out, struct span raw);

#endif
