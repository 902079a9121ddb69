/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "door/frame_plan.h"

#include "base/buf.h"
#include "base/json.h"

static const char *const priorities[] = {"medium", "high", "low", NULL};
static const char *const statuses[] = {
    "pending", "in_progress", "completed", NULL};

/* The first word replaces a value that is not in the list. */
static void put_word(struct buf *out, const char *name, const struct json *v,
    const char *const *words)
{
	const char *word = words[0];

	for (; *words; words++)
		if (json_str_is(v, *words))
			word = *words;
	buf_printf(out, ",\"%s\":\"%s\"", name, word);
}

static void put_entry(struct buf *out, const struct json *entry)
{
	const struct json *content = json_get(entry, "content");
	size_t len = 0;
	const char *text = json_text(content, &len);

	buf_str(out, "{\"content\":");
	if (json_is(content, JSON_STRING))
		buf_append(out, text, len);
	else
		buf_str(out, "\"\"");
	put_word(out, "priority", json_get(entry, "priority"), priorities);
	put_word(out, "status", json_get(entry, "status"), statuses);
	buf_char(out, '}');
}

void frame_plan_entries(struct buf *out, const struct json *entries)
{
	const char *sep = "";

	buf_char(out, '[');
	for (const struct json *v = json_first(entries); v; v = json_next(v)) {
		buf_str(out, sep);
		put_entry(out, v);
		sep = ",";
	}
	buf_char(out, ']');
}
