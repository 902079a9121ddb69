/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "access/lists_page.h"

#include "access/list_file.h"
#include "base/buf.h"
#include "base/json.h"
#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

static const char *const lists[] = {
    "admins", "contacts", "whitelist", "blocklist"};

/* One list that is being written. */
struct listing {
	const char *query;
	size_t query_len;
	size_t total;
	struct buf entries;
};

static bool is_found(const struct listing *l, const char *entry, size_t len)
{
	for (size_t i = 0; i + l->query_len <= len; i++)
		if (strncasecmp(entry + i, l->query, l->query_len) == 0)
			return true;
	return false;
}

static void add(const char *entry, size_t len, void *arg)
{
	struct listing *l = arg;
	if (!is_found(l, entry, len) || l->total++ >= LISTS_PAGE)
		return;
	if (l->entries.len)
		buf_char(&l->entries, ',');
	buf_json(&l->entries, entry, len);
}

static void put_list(struct buf *out, struct listing *l, const char *path)
{
	struct buf text = {0};
	struct err err;
	buf_char(out, '{');
	if (list_file_read(path, &text, &err) == 0) {
		list_file_each(text.data, text.len, false, add, l);
	} else {
		buf_str(out, "\"error\":");
		buf_json_str(out, err.text);
		buf_char(out, ',');
	}
	buf_printf(out, "\"total\":%zu,\"entries\":[", l->total);
	buf_append(out, l->entries.data, l->entries.len);
	buf_str(out, "]}");
	buf_fini(&text);
}

void lists_page(struct buf *out, const char *co_dir, const char *query)
{
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		struct listing l = {.query = query, .query_len = strlen(query)};
		struct buf path = {0};
		buf_printf(&path, "%s/%s.txt", co_dir, lists[i]);
		buf_printf(out, "%c\"%s\":", i ? ',' : '{', lists[i]);
		put_list(out, &l, buf_cstr(&path));
		buf_fini(&path);
		buf_fini(&l.entries);
	}
	buf_char(out, '}');
}
