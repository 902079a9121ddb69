/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* JSON becomes one line, however its reader splits lines. */
#include "api/sse_line.h"

#include "base/buf.h"
#include "t/unit/tap.h"

int main(void)
{
	static const struct {
		const char *json;
		const char *line;
	} cases[] = {
	    {"", ""},
	    {"{}", "{}"},
	    {"{\r\n\"a\":\n1}", "{  \"a\": 1}"},
	    {"\"a\xe2\x80\xa8z\"", "\"a\\u2028z\""},
	    {"\"\xe2\x80\xa9\"", "\"\\u2029\""},
	    {"\"\xc2\x85\xc2\x85\"", "\"\\u0085\\u0085\""},
	    {"\"\xe2\x80\xa8\n\xe2\x80\xa9\xc2\x85\"",
		"\"\\u2028 \\u2029\\u0085\""},
	    {"\"\xe2\x80\xa7\xe2\x80\xaa\xc2\x86\xc3\x85\"",
		"\"\xe2\x80\xa7\xe2\x80\xaa\xc2\x86\xc3\x85\""},
	    {"\"\\u2028\"", "\"\\u2028\""},
	    {"\xe2\x80", "\xe2\x80"},
	};
	struct buf out = {0};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		buf_reset(&out);
		buf_str(&out, "\n\xe2\x80\xa8: ");
		size_t from = out.len;
		buf_str(&out, cases[i].json);
		sse_line_fit(&out, from);
		is_str(buf_cstr(&out) + from, cases[i].line,
		    "JSON %zu is one line", i);
		ok(out.data[0] == '\n', "what comes before JSON %zu stays", i);
	}
	buf_fini(&out);
	return done();
}
