/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "core/param.h"

#include "base/buf.h"
#include "base/json.h"
#include "core/err.h"
#include "core/yaml.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The file being read. */
struct source {
	const char *name;
	param_member_fn *fn;
	void *arg;
};

static int set_line(const struct source *s, size_t line,
    const struct json *value, struct err *err)
{
	char where[512];
	(void)snprintf(where, sizeof where, "%.480s line %zu", s->name, line);
	char *key = json_strdup(json_key(value));
	if (!key)
		return err_set(
		    err, ERR_CONFIG, "%s: a key must not hold a NUL", where);
	int rc = s->fn(s->arg, where, key, value, err);
	free(key);
	return rc;
}

static int set_lines(const struct source *s, const struct json *root,
    const struct buf *lines, struct err *err)
{
	size_t at = 0, line;
	if (json_is(root, JSON_NULL))
		return 0;
	if (!json_is(root, JSON_OBJECT))
		return err_set(err, ERR_CONFIG,
		    "%s: must be a mapping of settings", s->name);
	for (const struct json *v = json_first(root); v; v = json_next(v)) {
		memcpy(&line, lines->data + at, sizeof line);
		at += sizeof line;
		if (set_line(s, line, v, err) != 0)
			return -1;
	}
	return 0;
}

static int set_all(
    const struct source *s, const struct buf *text, struct err *err)
{
	struct buf json = {0}, lines = {0};
	struct json_doc doc = {0};
	struct json_error why;
	int rc = yaml_to_json_lines(
	    &json, &lines, text->data, text->len, s->name, err);
	if (rc == 0) {
		const struct json *root =
		    json_parse(&doc, json.data, json.len, 0, &why);
		rc = root ? set_lines(s, root, &lines, err)
			  : err_set(err, ERR_CONFIG, "%s: %s", s->name,
				why.message);
	}
	json_fini(&doc);
	buf_fini(&lines);
	buf_fini(&json);
	return rc;
}

static int read_file(const char *path, struct buf *text, struct err *err)
{
	enum { MOST = YAML_MAX_SIZE };
	FILE *f = fopen(path, "re");
	if (!f)
		return err_set(
		    err, ERR_CONFIG, "%s: %s", path, strerror(errno));
	text->len = fread(buf_reserve(text, MOST + 1), 1, MOST + 1, f);
	int why = ferror(f) ? errno : 0;
	(void)fclose(f);
	if (why)
		return err_set(err, ERR_CONFIG, "%s: cannot be read: %s", path,
		    strerror(why));
	if (text->len > MOST)
		return err_set(
		    err, ERR_CONFIG, "%s: larger than %d bytes", path, MOST);
	return 0;
}

int param_read_yaml(
    const char *path, param_member_fn *fn, void *arg, struct err *err)
{
	struct source s = {.name = path, .fn = fn, .arg = arg};
	struct buf text = {0};
	int rc = read_file(path, &text, err);
	if (rc == 0)
		rc = set_all(&s, &text, err);
	buf_fini(&text);
	return rc;
}
