/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BASE_FOLD_H
#define BASE_FOLD_H

/*
 * Text for searches that do not distinguish capital and small letters. Safe
 * from any thread once fold_put() was called.
 */
#include <stddef.h>

struct buf;

/*
 * Append UTF-8 with each letter of any script in its small form, as far as that
 * is one letter. Invalid bytes are kept.
 */
void fold_put(struct buf *out, const char *text, size_t len);

#endif
