/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BASE_PERCENT_H
#define BASE_PERCENT_H

/*
 * Percent-escapes of request targets (RFC 3986), read as Python's urllib reads
 * them: a '%' without two hex digits stands for itself. Decoded text may
 * contain NULs and slashes, so decode exactly once and check afterwards. Pure
 * functions.
 */
#include <stdbool.h>
#include <stddef.h>

struct buf;

/*
 * Append the bytes that n characters stand for. With has_plus, '+' is a space,
 * as in a query.
 */
void percent_bytes(struct buf *out, const char *s, size_t n, bool has_plus);

/* The same as valid UTF-8: each invalid part becomes U+FFFD. */
void percent_text(struct buf *out, const char *s, size_t n, bool has_plus);

#endif
