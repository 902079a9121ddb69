/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * A filter for tests: each line of input is a JSON text; its canonical form
 * comes out, or ERR and the reason. The argument says which form: ascii, utf8
 * or utf16.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"

static int parse_form(const char *name, enum json_form *form)
{
	static const char *const names[] = {
	    [JSON_ASCII] = "ascii",
	    [JSON_UTF8] = "utf8",
	    [JSON_UTF16] = "utf16",
	};

	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!strcmp(names[i], name)) {
			*form = (enum json_form)i;
			return 0;
		}
	}
	return -1;
}

static void answer(struct buf *out, struct json_doc *doc, const char *line,
    size_t len, enum json_form form)
{
	struct json_error error;
	const struct json *root = json_parse(doc, line, len, 0, &error);

	buf_reset(out);
	if (root)
		json_canonical(out, root, form);
	else
		buf_printf(out, "ERR %s: line %zu column %zu (char %zu)",
		    error.message, error.line, error.col, error.pos);
	buf_char(out, '\n');
}

int main(int argc, char **argv)
{
	struct json_doc doc = {0};
	struct buf out = {0};
	enum json_form form;
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	if (argc != 2 || parse_form(argv[1], &form) < 0) {
		(void)fputs("usage: json_cat ascii|utf8|utf16\n", stderr);
		return 2;
	}
	while ((n = getline(&line, &cap, stdin)) > 0) {
		size_t len = (size_t)n;
		if (line[len - 1] == '\n')
			len--;
		answer(&out, &doc, line, len, form);
		if (fwrite(out.data, 1, out.len, stdout) != out.len)
			return 1;
	}
	free(line);
	buf_fini(&out);
	json_fini(&doc);
	return fflush(stdout) ? 1 : 0;
}
