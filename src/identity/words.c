/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "identity/words.h"

#include <string.h>

static const char *const words[] = {
#include "identity/words.tbl"
};

_Static_assert(
    sizeof words / sizeof *words == WORDS_COUNT, "the list is whole");

const char *words_at(unsigned place)
{
	return words[place];
}

/* Like strcmp(), for a word that is not NUL-terminated. */
static int words_compare(const char *word, size_t len, const char *other)
{
	int order = strncmp(word, other, len);
	return order ? order : other[len] ? -1 : 0;
}

int words_find(const char *word, size_t len)
{
	int low = 0, high = WORDS_COUNT - 1;
	while (low <= high) {
		int middle = (low + high) / 2;
		int order = words_compare(word, len, words[middle]);
		if (order == 0)
			return middle;
		if (order < 0)
			high = middle - 1;
		else
			low = middle + 1;
	}
	return -1;
}
