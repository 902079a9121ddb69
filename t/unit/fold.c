/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* Texts that are compared without regard to capital letters. */
#include "base/fold.h"

#include "base/buf.h"
#include "t/unit/tap.h"

#include <string.h>

int main(void)
{
	static const struct {
		const char *text;
		const char *folded;
		const char *title;
	} cases[] = {
	    {"", "", "an empty text stays empty"},
	    {"Hello, WORLD 42 [Z]", "hello, world 42 [z]",
		"capital letters of ASCII become small"},
	    {"ÄÖÜ ÉÑ", "äöü éñ", "letters with accents become small"},
	    {"ПРИВЕТ ΑΘΗΝΑ", "привет αθηνα",
		"letters of other scripts become small"},
	    {"straße 日本 👍", "straße 日本 👍",
		"what has no capital form stays"},
	    {"\xc8\xba\xc8\xba\xc8\xba", "\xe2\xb1\xa5\xe2\xb1\xa5\xe2\xb1\xa5",
		"a letter may become longer"},
	    {"A\xff\xc3", "a\xff\xc3", "invalid bytes are kept"},
	};
	struct buf out = {0};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		buf_reset(&out);
		fold_put(&out, cases[i].text, strlen(cases[i].text));
		ok(strcmp(buf_cstr(&out), cases[i].folded) == 0, "%s",
		    cases[i].title);
	}
	buf_fini(&out);
	return done();
}
