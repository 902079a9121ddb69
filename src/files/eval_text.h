/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef FILES_EVAL_TEXT_H
#define FILES_EVAL_TEXT_H

/*
 * Text in the form used by eval files: JSON that is also YAML, names, times.
 * Pure functions.
 */
#include "base/buf.h"
#include "store/store.h"

#include <stddef.h>
#include <stdint.h>

/* The longest name of an eval, in characters. */
#define EVAL_NAME_MAX 50

/*
 * Append JSON on one line, with escapes for characters that YAML does not
 * allow.
 */
void eval_text_json(struct buf *out, const char *text, size_t len);

/* Append bytes as a quoted string. */
void eval_text_string(struct buf *out, const char *text, size_t len);

/*
 * Returns the beginning of a text, at most this many bytes, cut between
 * characters.
 */
struct store_span eval_text_cut(struct store_span s, size_t most);

/* Append the local time, such as 2026-01-31 12:00:00. */
void eval_text_time(struct buf *out, int64_t ms);

/*
 * Append the name of an eval, made from its first prompt: lower-case words
 * joined by '_', never empty.
 */
void eval_text_name(struct buf *out, const char *prompt, size_t len);

#endif
