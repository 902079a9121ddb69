/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * A filter for tests: each line of input is a JSON text; its canonical form
 * comes out, or ERR and the reason. The argument names the form.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"

static int parse_form(const char *name, unsigned *form)
{
	static const struct {
		const char *name;
		unsigned form;
	} forms[] = {
	    {"ascii", JSON_ASCII},
	    {"utf8", JSON_UTF8},
	    {"script", JSON_SCRIPT},
	    {"A", JSON_ASCII | JSON_PYTHON},
	    {"B", JSON_PYTHON},
	    {"C", JSON_PYTHON | JSON_TOP},
	    {"TOP", JSON_TOP | JSON_SCRIPT},
	    {"ALL", JSON_SCRIPT},
	    {"ANNOUNCE", JSON_ASCII | JSON_PYTHON | JSON_SPACED},
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		if (!strcmp(forms[i].name, name)) {
			*form = forms[i].form;
			return 0;
		}
	}
	return -1;
}

static void answer(struct buf *out, struct json_doc *doc, const char *line,
    size_t len, unsigned form)
{
	struct json_error error;
	const struct json *root = json_parse(doc, line, len, 0, &error);

	buf_reset(out);
	if (!root)
		buf_printf(out, "ERR %s: line %zu column %zu (char %zu)",
		    error.message, error.line, error.col, error.pos);
	else if (!json_canonical(out, root, form))
		buf_str(out, "ERR a number is infinite");
	buf_char(out, '\n');
}

int main(int argc, char **argv)
{
	struct json_doc doc = {0};
	struct buf out = {0};
	unsigned form = 0;
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	if (argc != 2 || parse_form(argv[1], &form) < 0) {
		(void)fputs("usage: json_cat FORM\n", stderr);
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
