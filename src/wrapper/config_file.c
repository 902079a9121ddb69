/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "wrapper/config_file.h"

#include "base/json.h"
#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct config_file {
	struct buf text;
	struct json_doc doc;
};

static bool read_all(struct buf *out, const char *path, char *why, size_t size)
{
	FILE *f = fopen(path, "re");
	size_t n = 1;

	if (f)
		while (n && out->len <= CONFIG_FILE_MAX_BYTES) {
			n = fread(buf_reserve(out, 4096), 1, 4096, f);
			out->len += n;
		}
	bool is_read = f && !ferror(f);
	if (!is_read)
		(void)snprintf(why, size, "%s", strerror(errno));
	if (f)
		(void)fclose(f);
	if (!is_read)
		return false;
	if (out->len > CONFIG_FILE_MAX_BYTES)
		(void)snprintf(why, size, "it has more than %zu bytes",
		    CONFIG_FILE_MAX_BYTES);
	return out->len <= CONFIG_FILE_MAX_BYTES;
}

static bool parse(struct config_file *f, char *why, size_t size)
{
	struct json_error error;
	const struct json *root =
	    json_parse(&f->doc, f->text.data, f->text.len, 0, &error);

	if (!root)
		(void)snprintf(
		    why, size, "line %zu: %s", error.line, error.message);
	else if (!json_is(root, JSON_OBJECT))
		(void)snprintf(why, size, "it is no JSON object");
	return json_is(root, JSON_OBJECT);
}

struct config_file *config_file_open(const char *path, char *why, size_t size)
{
	struct config_file *f = mem_zero(sizeof *f);

	if (!read_all(&f->text, path, why, size) || !parse(f, why, size))
		config_file_close(&f);
	return f;
}

char *config_file_get(const struct config_file *f, const char *key)
{
	const struct json *v = f->doc.root;
	char name[64];
	size_t n;

	for (; *key; key += n + (key[n] == '.')) {
		n = strcspn(key, ".");
		(void)snprintf(name, sizeof name, "%.*s", (int)n, key);
		v = json_get(v, name);
	}
	if (json_is(v, JSON_STRING))
		return json_strdup(v);
	if (!json_is(v, JSON_NUMBER))
		return NULL;
	const char *text = json_text(v, &n);
	return mem_strndup(text, n);
}

void config_file_close(struct config_file **fp)
{
	struct config_file *f = *fp;

	*fp = NULL;
	if (!f)
		return;
	json_fini(&f->doc);
	buf_fini(&f->text);
	free(f);
}
