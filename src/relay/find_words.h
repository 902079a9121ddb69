/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef RELAY_FIND_WORDS_H
#define RELAY_FIND_WORDS_H

/*
 * Words for the full-text index: from what agents say about themselves, and from
 * queries. Pure functions.
 */
#include <stddef.h>

struct buf;
struct json;

/* The most words of a query; further ones are ignored. */
#define FIND_WORDS_MOST 16

/*
 * Append all strings in a JSON value for the index, at most 'most' bytes of
 * them. Scripts without spaces between words are indexed by characters, so
 * these get spaces between them.
 */
void find_words_put_json(struct buf *out, const struct json *v, size_t most);

/*
 * Append the expression for FTS5 that a query stands for: its words, quoted,
 * each of which may continue, joined by "AND" or "OR". Returns the number of
 * words.
 */
size_t find_words_query(
    struct buf *out, const char *query, size_t len, const char *join);

#endif
