/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/err.h"
#include "identity/ident.h"
#include "identity/ident_file.h"

#include <stdlib.h>
#include <string.h>

/* A larger file is not ours. */
#define MAX_NOTE 16384

/* Who served last; NULL for what the file does not say. */
struct claim {
	char *name;
	char *project;
};

/* A file that cannot be read causes a warning; it does not prevent startup. */
static struct claim read_claim(const char *path)
{
	struct claim claim = {NULL, NULL};
	struct json_doc doc = {NULL, NULL};
	struct json_error why;
	struct err err;
	char *text = mem_alloc(MAX_NOTE);
	ssize_t n = ident_file_read(path, text, MAX_NOTE, &err);
	const struct json *note =
	    n > 0 ? json_parse(&doc, text, (size_t)n, 0, &why) : NULL;
	if (json_is(note, JSON_OBJECT)) {
		claim.name = json_strdup(json_get(note, "name"));
		claim.project = json_strdup(json_get(note, "project"));
	}
	json_fini(&doc);
	free(text);
	return claim;
}

/* Text from another program goes to a terminal: remove control characters. */
static void clean(char *text)
{
	for (; text && *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
}

static void put_warning(
    struct buf *out, const struct ident *me, const struct claim *other)
{
	buf_printf(out,
	    "[host] %.10s… is already served by '%s' in %s, using the same key "
	    "from %s. Two agents on one address means whichever is nearest "
	    "answers the call, and the tools they answer with differ. A "
	    "project created by `co create` gets its own identity and does "
	    "not share.",
	    me->address, other->name ? other->name : "", other->project,
	    me->source);
}

static int write_claim(const char *path, const struct ident *me,
    const char *name, const char *project, struct err *err)
{
	struct buf text = {0};
	buf_str(&text, "{\n  \"name\": ");
	buf_json_str(&text, name);
	buf_str(&text, ",\n  \"project\": ");
	buf_json_str(&text, project);
	buf_printf(&text, ",\n  \"address\": \"%s\"\n}", me->address);
	const struct ident_file file = {
	    .path = path, .mode = 0600, .may_replace = true};
	int rc = ident_file_write(&file, text.data, text.len, err);
	buf_fini(&text);
	return rc;
}

int ident_claim(const struct ident *me, const char *name, const char *project,
    struct buf *warning, struct err *err)
{
	struct buf path = {0};
	buf_printf(&path, "%s/served_by.json", me->source);
	struct claim other = read_claim(buf_cstr(&path));
	bool is_shared = other.project && strcmp(other.project, project) != 0;
	clean(other.name);
	clean(other.project);
	if (is_shared)
		put_warning(warning, me, &other);
	int rc = write_claim(buf_cstr(&path), me, name, project, err);
	free(other.name);
	free(other.project);
	buf_fini(&path);
	return rc;
}
