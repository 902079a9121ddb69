/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BASE_PERCENT_H
#define BASE_PERCENT_H

/*
 * %-escapes of targets (RFC 3986), read as Python's urllib reads them: a '%'
 * without two hex digits stands for itself. What is decoded may hold NULs and
 * slashes, so it is decoded once, and looked at afterwards. Pure functions.
 */
#include <stdbool.h>
#include <stddef.h>

struct buf;

/*
 * Append the bytes that n characters stand for. has_plus: '+' is a space, as it
 * is in a query.
 */
void percent_bytes(struct buf *out, const char *s, size_t n, bool has_plus);

/* The same as UTF-8: U+FFFD for each part of it that is not. */
void percent_text(struct buf *out, const char *s, size_t n, bool has_plus);

#endif
