/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * The first line is a mapping of rules, the rest a shell command. The rules are
 * refused with a reason, or answer; a command that nobody allowed whole is only
 * allowed when it holds nothing that a shell would do more with.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/err.h"
#include "core/permit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool is_true)
{
	if (!is_true)
		abort();
}

static bool is_allowed(
    const struct permit *p, const char *tool, const char *command, size_t len)
{
	struct buf args = {0}, why = {0};
	struct json_doc doc = {0};
	struct json_error error;

	buf_str(&args, "{\"command\":");
	buf_json(&args, command, len);
	buf_str(&args, ",\"path\":");
	buf_json(&args, command, len);
	buf_char(&args, '}');
	const struct json *v =
	    json_parse(&doc, args.data, args.len, JSON_UNIQUE_KEYS, &error);
	expect(v != NULL);
	bool answer = permit_allows(p, tool, v, &why);
	expect(answer == (why.len == 0));
	json_fini(&doc);
	buf_fini(&args);
	buf_fini(&why);
	return answer;
}

/* Outside single quotes, none of these is for somebody who may only list. */
static void expect_plain(const char *command, size_t len)
{
	bool is_quoted = false, is_double = false;
	for (size_t i = 0; i < len; i++) {
		char c = command[i];
		expect(c != '\n' && c != '\r' && c != 0);
		if (is_quoted) {
			is_quoted = c != '\'';
			continue;
		}
		if (c == '\\' && ++i < len)
			continue;
		is_quoted = c == '\'' && !is_double;
		is_double = c == '"' ? !is_double : is_double;
		expect(c != '$' && c != '`');
		expect(is_double || !strchr("<>(){}", c));
	}
}

static void check_rules(const char *rules, const char *command, size_t len)
{
	struct err err = {.code = ERR_OK, .text = ""};
	struct permit *p = permit_open(rules, &err);

	if (!p) {
		expect(err.code == ERR_CONFIG && *err.text);
		return;
	}
	(void)is_allowed(p, "bash", command, len);
	(void)is_allowed(p, "write", command, len);
	permit_close(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct permit *lister;
	struct err err;
	const char *text = (const char *)data;
	const char *end = memchr(data, '\n', size);
	size_t n = end ? (size_t)(end - text) : 0;
	const char *command = end ? end + 1 : text;
	size_t len = size - (size_t)(command - text);
	char *rules = mem_strndup(text, n);

	if (!lister)
		lister =
		    permit_open("{\"Bash(ls *)\":{\"allowed\":true}}", &err);
	check_rules(rules, command, len);
	if (is_allowed(lister, "bash", command, len))
		expect_plain(command, len);
	free(rules);
	return 0;
}
