/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "tools/tool_regex.h"

#include "base/log.h"
#include "base/mem.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <stdlib.h>
#include <string.h>

/* Steps of one match, and KiB of memory for it. */
#define STEPS 200000
#define HEAP_KIB 8192

struct tool_regex {
	pcre2_code *code;
	pcre2_match_data *data;
	pcre2_match_context *context;
	bool has_given_up;
};

struct tool_regex *tool_regex_new(
    const char *pattern, bool ignores_case, struct err *err)
{
	int number;
	PCRE2_SIZE at;
	PCRE2_UCHAR text[200] = "";
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, strlen(pattern),
	    PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF |
		PCRE2_NEVER_BACKSLASH_C | (ignores_case ? PCRE2_CASELESS : 0),
	    &number, &at, NULL);

	if (!code) {
		(void)pcre2_get_error_message(number, text, sizeof text);
		(void)err_set(err, ERR_BAD_REQUEST,
		    "Invalid regex pattern: %s at position %zu",
		    (const char *)text, at);
		return NULL;
	}
	struct tool_regex *r = mem_zero(sizeof *r);
	r->code = code;
	r->data = pcre2_match_data_create(1, NULL);
	r->context = pcre2_match_context_create(NULL);
	if (!r->data || !r->context)
		fatal("memory: no room for a regular expression");
	(void)pcre2_set_match_limit(r->context, STEPS);
	(void)pcre2_set_heap_limit(r->context, HEAP_KIB);
	return r;
}

bool tool_regex_find(struct tool_regex *r, const char *text, size_t len)
{
	int rc = pcre2_match(r->code, (PCRE2_SPTR)(text ? text : ""), len, 0, 0,
	    r->data, r->context);

	if (rc < 0 && rc != PCRE2_ERROR_NOMATCH)
		r->has_given_up = true;
	return rc >= 0;
}

bool tool_regex_has_given_up(const struct tool_regex *r)
{
	return r->has_given_up;
}

void tool_regex_free(struct tool_regex **regex)
{
	struct tool_regex *r = *regex;

	*regex = NULL;
	if (!r)
		return;
	pcre2_match_context_free(r->context);
	pcre2_match_data_free(r->data);
	pcre2_code_free(r->code);
	free(r);
}
