/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/utf8.h"
#include "tools/tool_files.h"
#include "tools/tool_swap.h"
#include "tools/tool_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How many places are shown in an error, and how many characters of each. */
#define PLACES 10
#define PLACE_CHARACTERS 80

struct edit {
	struct tool_file *f;
	const char *path;
	struct buf old_text; /* un-escaped arguments, where they need memory */
	struct buf new_text;
	const char *old;
	size_t old_len;
	const char *new;
	size_t new_len;
	bool is_for_all;
	struct buf content;
	struct stat st;
	char *name; /* of the file, with no links in it */
	struct err err;
};

/* ---- places ---- */

static const char *find(const char *s, size_t n, const struct edit *e)
{
	return memmem(s, n, e->old, e->old_len);
}

static size_t count(const struct edit *e)
{
	const char *s = e->content.data;
	const char *end = s + e->content.len;
	size_t n = 0;

	while ((s = find(s, (size_t)(end - s), e)) != NULL) {
		n++;
		s += e->old_len;
	}
	return n;
}

static void show_place(struct buf *out, size_t line, const char *s, size_t len)
{
	struct buf text = {0};

	if (len && s[len - 1] == '\r')
		len--;
	tool_text_put(&text, s, len);
	buf_printf(out, "\n  Line %zu: ", line);
	buf_append(out, text.data,
	    utf8_prefix(text.len ? text.data : "", text.len, PLACE_CHARACTERS));
	buf_fini(&text);
}

/* Show the lines in which the text begins. */
static void show_places(const struct edit *e, struct buf *out)
{
	const char *s = e->content.data;
	const char *end = s + e->content.len;
	const char *seen = s;
	size_t line = 1;

	for (int i = 0; i < PLACES; i++) {
		const char *at = find(s, (size_t)(end - s), e);
		if (!at)
			break;
		for (; seen < at; seen++)
			line += *seen == '\n';
		const char *start = at;
		while (start > e->content.data && start[-1] != '\n')
			start--;
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		show_place(
		    out, line, start, (size_t)((stop ? stop : end) - start));
		s = at + e->old_len;
	}
}

/* ---- the edit ---- */

static bool read_arguments(struct edit *e)
{
	const struct json *args = e->f->args;

	e->old =
	    json_str(json_get(args, "old_string"), &e->old_text, &e->old_len);
	e->new =
	    json_str(json_get(args, "new_string"), &e->new_text, &e->new_len);
	e->is_for_all = tool_file_bool(e->f, "replace_all");
	return e->old_len > 0 ||
	       err_set(&e->err, ERR_BAD_REQUEST, "old_string is empty") == 0;
}

static bool read_content(struct edit *e)
{
	int fd = tool_root_file(e->f->root, e->path, &e->err);

	if (fd < 0)
		return false;
	e->name = tool_root_name(e->f->root, fd);
	bool is_read = fstat(fd, &e->st) == 0 && e->name
			   ? tool_file_read(fd, e->path, TOOL_FILES_MAX,
				 &e->content, &e->err) == 0
			   : err_set(&e->err, ERR_BAD_REQUEST, "'%.300s': %s",
				 e->path, strerror(errno)) == 0;
	(void)close(fd);	     /* nothing was written */
	(void)buf_cstr(&e->content); /* there are bytes even if it is empty */
	return is_read;
}

static void replace(const struct edit *e, struct buf *out)
{
	const char *s = e->content.data;
	const char *end = s + e->content.len;
	const char *at;

	while ((at = find(s, (size_t)(end - s), e)) != NULL) {
		buf_append(out, s, (size_t)(at - s));
		buf_append(out, e->new, e->new_len);
		s = at + e->old_len;
	}
	buf_append(out, s, (size_t)(end - s));
}

static enum tool_status refuse_many(const struct edit *e, size_t n)
{
	(void)tool_file_fail(e->f,
	    "String appears %zu times in '%.300s'. Use replace_all=true to "
	    "replace all, or provide more context to make it unique.\n\n"
	    "Found at:",
	    n, e->path);
	show_places(e, &e->f->out);
	return TOOL_ERROR;
}

static enum tool_status swap(struct edit *e, size_t n)
{
	struct buf out = {0};

	replace(e, &out);
	int rc = out.len > TOOL_FILES_MAX
		     ? err_set(&e->err, ERR_TOO_LARGE,
			   "'%.300s' would become larger than %zu MiB, the "
			   "limit of this tool",
			   e->path, TOOL_FILES_MAX >> 20)
		     : tool_swap_old(e->f->root, e->name, out.data, out.len,
			   &e->st, &e->err);
	buf_fini(&out);
	if (rc != 0)
		return tool_file_fail(e->f, "%s", e->err.text);
	if (n > 1)
		buf_printf(&e->f->out, "Replaced %zu occurrences in '%.300s'",
		    n, e->path);
	else
		buf_printf(&e->f->out, "Successfully edited '%.300s'", e->path);
	return TOOL_SUCCESS;
}

static enum tool_status run(struct edit *e)
{
	if (!read_arguments(e) || !read_content(e))
		return tool_file_fail(e->f, "%s", e->err.text);
	size_t n = count(e);
	if (n == 0)
		return tool_file_fail(
		    e->f, "String not found in '%.300s'", e->path);
	if (n > 1 && !e->is_for_all)
		return refuse_many(e, n);
	return swap(e, n);
}

enum tool_status tool_edit(struct tool_file *f)
{
	char *path = tool_file_string(f, "file_path");
	struct edit e = {.f = f, .path = path ? path : ""};
	enum tool_status status = run(&e);

	buf_fini(&e.old_text);
	buf_fini(&e.new_text);
	buf_fini(&e.content);
	free(e.name);
	free(path);
	return status;
}
