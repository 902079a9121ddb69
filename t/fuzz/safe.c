/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Any bytes as what an agent says: as a text, a line or JSON for a terminal they
 * have no control character, JSON stays JSON, and a line that is cut is no
 * longer than before and still made of whole characters.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/utf8.h"
#include "cli/safe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool is_true)
{
	if (!is_true)
		abort();
}

/* All is UTF-8, and no character is one that a terminal obeys. */
static void check(const struct buf *out, const char *allowed)
{
	size_t len;

	for (size_t i = 0; i < out->len; i += len) {
		len = utf8_len(out->data + i, out->len - i);
		expect(len > 0);
		uint32_t c = utf8_get(out->data + i, len);
		expect(c >= 0x20 || (c && strchr(allowed, (int)c)));
		expect(c < 0x7f || c > 0x9f);
		expect(c < 0x202a || c > 0x202e);
		expect(c < 0x2066 || c > 0x2069);
	}
}

static void check_json(const char *text, size_t size)
{
	struct json_doc doc = {0};
	struct json_error error;
	struct buf out = {0};
	bool is_json = json_parse(&doc, text, size, 0, &error) != NULL;

	safe_json(&out, text, size);
	check(&out, "");
	if (is_json)
		expect(json_parse(&doc, out.data, out.len, 0, &error) != NULL);
	buf_fini(&out);
	json_fini(&doc);
}

static void check_cut(struct buf *line, size_t columns)
{
	size_t before = line->len;

	safe_cut(line, 0, columns, "");
	expect(line->len <= before);
	check(line, "");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf out = {0};
	/* A copy of the exact size lets the sanitizer see a read too far. */
	char *text = malloc(size ? size : 1);

	expect(text);
	memcpy(text, data, size);
	safe_text(&out, text, size);
	check(&out, "\n\t");
	buf_reset(&out);
	safe_line(&out, text, size);
	check(&out, "");
	check_cut(&out, 80);
	check_cut(&out, 7);
	check_cut(&out, 0);
	buf_fini(&out);
	check_json(text, size);
	free(text);
	return 0;
}
