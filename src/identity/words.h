/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef IDENTITY_WORDS_H
#define IDENTITY_WORDS_H

/* The word list of recovery phrases (BIP-39, English). */
#include <stddef.h>

/* A word stands for so many bits. */
#define WORDS_BITS 11
#define WORDS_COUNT (1 << WORDS_BITS)

/* The word at this place, below WORDS_COUNT. */
const char *words_at(unsigned place);

/* The place of the word that these len bytes are, or -1. */
int words_find(const char *word, size_t len);

#endif
