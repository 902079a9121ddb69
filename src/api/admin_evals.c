/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "api/admin_evals.h"

#include "base/json.h"
#include "base/log.h"
#include "core/err.h"
#include "core/yaml.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * The maximum number of files, and of bytes, in one reply; the rest is left
 * out.
 */
#define MAX_FILES 5000
#define MAX_REPLY ((size_t)64 * 1024 * 1024)

/* One file as JSON. */
struct eval {
	char *updated; /* sort key */
	char *text;
	size_t len;
};

struct evals {
	struct buf rows; /* of struct eval */
	size_t bytes;
	bool is_cut;
};

static struct eval *rows_of(const struct evals *all, size_t *n)
{
	*n = all->rows.len / sizeof(struct eval);
	return (struct eval *)(void *)all->rows.data;
}

static bool admin_evals_read_text(struct buf *out, const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool is_read = false;
	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (size_t)st.st_size <= YAML_MAX_SIZE) {
		size_t size = (size_t)st.st_size;
		is_read =
		    read(fd, buf_reserve(out, size + 1), size) == (ssize_t)size;
		out->len = is_read ? size : 0;
	}
	close(fd);
	return is_read;
}

struct totals {
	double tokens;
	double cost;
	bool is_known;
};

static void add_turn(struct totals *sum, const struct json *turn)
{
	struct json_doc doc = {0};
	struct json_error why;
	double tokens, cost;
	char *meta = json_strdup(json_get(turn, "meta"));
	const struct json *v =
	    meta ? json_parse(&doc, meta, strlen(meta), 0, &why) : NULL;
	if (json_double(json_get(v, "tokens"), &tokens) &&
	    json_double(json_get(v, "cost"), &cost)) {
		sum->tokens += tokens;
		sum->cost += cost;
		sum->is_known = true;
	}
	json_fini(&doc);
	free(meta);
}

/* Add up the usage of all turns, unless the file has a total of its own. */
static void put_totals(struct buf *text, const struct json *v)
{
	struct totals sum = {0, 0, false};
	const struct json *turn = json_first(json_get(v, "turns"));
	if (json_get(v, "total_cost") || json_get(v, "total_tokens"))
		return;
	for (; turn; turn = json_next(turn))
		add_turn(&sum, turn);
	if (!sum.is_known || sum.tokens > 1e15 || sum.cost > 1e15)
		return;
	text->len--; /* drop the closing brace */
	buf_printf(text, ",\"total_cost\":%.4f,\"total_tokens\":%.0f}",
	    sum.cost, sum.tokens);
}

/* A time is a string, or a YAML date that was converted to one. */
static char *when_of(const struct json *v)
{
	char *when = json_strdup(json_get(v, "updated"));
	if (!when)
		when = json_strdup(json_get(v, "created"));
	return when;
}

static void add_json(struct evals *all, struct buf *text, const char *path)
{
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *v = json_parse(&doc, text->data, text->len, 0, &why);
	struct eval row = {.updated = when_of(v)};
	bool is_object = json_is(v, JSON_OBJECT);
	if (is_object && json_count(v))
		put_totals(text, v);
	json_fini(&doc);
	if (!is_object) {
		log_warn("%s: not a mapping; skipped", path);
		free(row.updated);
		return;
	}
	all->bytes += text->len;
	row.text = buf_steal(text, &row.len);
	buf_append(&all->rows, &row, sizeof row);
}

static void add_file(struct evals *all, const char *path)
{
	struct buf yaml = {0}, text = {0};
	struct err err;
	if (!admin_evals_read_text(&yaml, path))
		log_warn("%s: cannot be read; skipped", path);
	else if (yaml_to_json(&text, yaml.data, yaml.len, path, &err) != 0)
		log_warn("%s; skipped", err.text);
	else
		add_json(all, &text, path);
	buf_fini(&yaml);
	buf_fini(&text);
}

static bool is_yaml(const char *name)
{
	size_t n = strlen(name);
	return *name != '.' && n > 5 && strcmp(name + n - 5, ".yaml") == 0;
}

static void add_folder(struct evals *all, const char *co_dir, const char *name)
{
	struct buf path = {0};
	struct dirent *entry;
	buf_printf(&path, "%s/%s", co_dir, name);
	size_t dir_len = path.len;
	DIR *d = opendir(buf_cstr(&path));
	while (d && (entry = readdir(d))) {
		if (!is_yaml(entry->d_name))
			continue;
		all->is_cut = all->bytes > MAX_REPLY ||
			      all->rows.len >= MAX_FILES * sizeof(struct eval);
		if (all->is_cut)
			break;
		path.len = dir_len;
		buf_printf(&path, "/%s", entry->d_name);
		add_file(all, buf_cstr(&path));
	}
	if (d)
		(void)closedir(d);
	buf_fini(&path);
}

static int newest_first(const void *a, const void *b)
{
	const struct eval *x = a, *y = b;
	return strcmp(
	    y->updated ? y->updated : "", x->updated ? x->updated : "");
}

static void put_all(struct buf *out, const struct evals *all)
{
	size_t n;
	struct eval *rows = rows_of(all, &n);
	if (n)
		qsort(rows, n, sizeof *rows, newest_first);
	buf_str(out, "{\"sessions\":[");
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_char(out, ',');
		buf_append(out, rows[i].text, rows[i].len);
		free(rows[i].updated);
		free(rows[i].text);
	}
	buf_str(out, "]}");
}

void admin_evals_read(struct buf *out, const char *co_dir)
{
	struct evals all = {.bytes = 0};
	add_folder(&all, co_dir, "evals");
	add_folder(&all, co_dir, "sessions");
	if (all.is_cut)
		log_warn("%s: too many evals for one reply", co_dir);
	put_all(out, &all);
	buf_fini(&all.rows);
}
