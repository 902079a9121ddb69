/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* Any bytes: the parser refuses them, or their canonical form is stable. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool is_true)
{
	if (!is_true)
		abort();
}

/* What a refusal says must point into the text. */
static void check_error(const struct json_error *error, size_t size)
{
	expect(error->message);
	expect(error->pos <= size);
	expect(error->line >= 1 && error->col >= 1);
	expect(error->line + error->col <= error->pos + 2);
}

static void check_form(const struct json *v, unsigned form)
{
	struct buf once = {0}, twice = {0};
	struct json_doc doc = {0};
	struct json_error error;

	expect(json_canonical(&once, v, form));
	const struct json *again =
	    json_parse(&doc, once.data, once.len, JSON_UNIQUE_KEYS, &error);
	expect(again);
	expect(json_canonical(&twice, again, form));
	expect(once.len == twice.len);
	expect(!memcmp(once.data, twice.data, once.len));
	json_fini(&doc);
	buf_fini(&twice);
	buf_fini(&once);
}

/* Every reader on every value; un-escaped bytes must survive buf_json(). */
static void check_value(const struct json *v, int depth)
{
	struct buf scratch = {0};
	size_t len, count = 0;
	int64_t i;
	double d;
	bool b;

	expect(depth <= JSON_MAX_DEPTH);
	expect(json_text(v, &len) && len > 0);
	const char *s = json_str(v, &scratch, &len);
	expect(json_is(v, JSON_STRING) == (s != NULL));
	if (s) {
		struct buf quoted = {0};
		buf_json(&quoted, s, len);
		expect(quoted.len >= len + 2);
		buf_fini(&quoted);
	}
	char *copy = json_strdup(v);
	expect(!copy || json_str_is(v, copy));
	free(copy);
	expect(!json_int(v, &i) || json_double(v, &d));
	expect(json_bool(v, &b) == json_is(v, JSON_BOOL));
	for (const struct json *m = json_first(v); m; m = json_next(m)) {
		expect(json_is(v, JSON_OBJECT) ==
		       json_is(json_key(m), JSON_STRING));
		check_value(m, depth + 1);
		count++;
	}
	expect(count == json_count(v));
	buf_fini(&scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_doc doc = {0};
	struct json_error error;
	/* A copy of the exact size lets the sanitizer see a read too far. */
	char *text = malloc(size ? size : 1);

	expect(text);
	memcpy(text, data, size);
	const struct json *root = json_parse(&doc, text, size, 0, &error);
	if (root) {
		check_value(root, 0);
		check_form(root, JSON_ASCII);
		check_form(root, JSON_UTF8);
		check_form(root, JSON_SCRIPT);
	} else {
		check_error(&error, size);
	}
	/* The same document again, in memory that is kept. */
	const struct json *unique =
	    json_parse(&doc, text, size, JSON_UNIQUE_KEYS, &error);
	expect(root || !unique);
	if (!unique)
		check_error(&error, size);
	json_fini(&doc);
	free(text);
	return 0;
}
