/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* The two spellings of a UUID. */
#include "session/spelling.h"

#include "t/unit/tap.h"

#include <string.h>

int main(void)
{
	static const struct {
		const char *id;
		const char *other; /* NULL: none */
		const char *title;
	} cases[] = {
	    {"01234567-89ab-cdef-0123-456789abcdef",
		"0123456789abcdef0123456789abcdef", "a UUID loses its dashes"},
	    {"0123456789ABCDEF0123456789abcdef",
		"01234567-89AB-CDEF-0123-456789abcdef",
		"a UUID of digits gets dashes"},
	    {"0123456789abcdef0123456789abcdeg", NULL,
		"32 characters that are no digits are no UUID"},
	    {"0123456789abcdef0123456789abcde", NULL, "31 digits are no UUID"},
	    {"01234567-89ab-cdef-0123-456789abcde-", NULL,
		"dashes at other places are no UUID"},
	    {"", NULL, "an empty id is no UUID"},
	};
	char other[ENC_UUID_SIZE];

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bool is_one =
		    spelling_other(other, cases[i].id, strlen(cases[i].id));
		ok(is_one == (cases[i].other != NULL) &&
			(!is_one || strcmp(other, cases[i].other) == 0),
		    "%s", cases[i].title);
	}
	return done();
}
