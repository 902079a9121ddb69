/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef IDENTITY_WORDS_H
#define IDENTITY_WORDS_H

/* The word list of recovery phrases (BIP-39, English). */
#include <stddef.h>

/* The number of bits that a word encodes. */
#define WORDS_BITS 11
#define WORDS_COUNT (1 << WORDS_BITS)

/* Returns the word at this index, below WORDS_COUNT. */
const char *words_at(unsigned place);

/* Returns the index of the word that these len bytes spell, or -1. */
int words_find(const char *word, size_t len);

#endif
