/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Any line of a process with many turns: it is no frame, or has a number that
 * is written as it was read, and a type that does not depend on how the JSON is
 * spelled.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/mux_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool is_true)
{
	if (!is_true)
		abort();
}

/* The head, written again, is what was read. */
static void check_head(const struct mux_frame *f, const char *line)
{
	char head[MUX_FRAME_HEAD];
	size_t n = mux_frame_head(head, f->number);

	expect(line + n == f->json && memcmp(line, head, n) == 0);
}

/* The canonical form of an object has the same type. */
static void check_type(const struct mux_frame *f)
{
	struct json_doc doc = {0}, other = {0};
	struct json_error why;
	struct buf again = {0};
	enum mux_frame_type type = mux_frame_type(f, &doc);
	const struct json *o =
	    json_parse(&doc, f->json, f->len, JSON_UNIQUE_KEYS, &why);

	if (json_is(o, JSON_OBJECT)) {
		expect(type != MUX_FRAME_BAD);
		expect(json_canonical(&again, o, JSON_UTF8));
		const struct mux_frame spelled = {
		    .json = again.data, .len = again.len};
		expect(mux_frame_type(&spelled, &other) == type);
	}
	buf_fini(&again);
	json_fini(&other);
	json_fini(&doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mux_frame f;
	const char *line = (const char *)data;

	if (!mux_frame_split(&f, line, size))
		return 0;
	expect(f.json + f.len == line + size);
	check_head(&f, line);
	check_type(&f);
	return 0;
}
