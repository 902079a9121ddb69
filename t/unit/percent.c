/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* %-escapes, as urllib.parse.unquote() of Python reads them. */
#include "base/percent.h"

#include "base/buf.h"
#include "t/unit/tap.h"

#include <string.h>

int main(void)
{
	static const struct {
		const char *coded;
		bool has_plus;
		const char *text;
	} cases[] = {
	    {"", false, ""},
	    {"a%20b+c", false, "a b+c"},
	    {"a%20b+c", true, "a b c"},
	    {"%2F%2f", false, "//"},
	    {"%252f", false, "%2f"},
	    {"%C3%A9", false, "\xc3\xa9"},
	    {"a%", false, "a%"},
	    {"a%2", false, "a%2"},
	    {"a%zz%41", false, "a%zzA"},
	    {"%ff", false, "\xef\xbf\xbd"},
	    {"%e2%82x", false, "\xef\xbf\xbdx"},
	    {"%c0%af", false, "\xef\xbf\xbd\xef\xbf\xbd"},
	};
	struct buf out = {0};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		buf_reset(&out);
		percent_text(&out, cases[i].coded, strlen(cases[i].coded),
		    cases[i].has_plus);
		is_str(buf_cstr(&out), cases[i].text, "\"%s\" is decoded",
		    cases[i].coded);
	}
	buf_reset(&out);
	percent_bytes(&out, "%00%ff", 6, false);
	ok(out.len == 2 && !memcmp(out.data, "\0\xff", 2),
	    "bytes that are no text are decoded as they are");
	buf_fini(&out);
	return done();
}
