/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/mem.h"
#include "tools/tool_files.h"
#include "tools/tool_pattern.h"
#include "tools/tool_text.h"
#include "tools/tool_walk.h"

#include <stdlib.h>
#include <string.h>

/* How many files are shown, of how many that are remembered. */
#define SHOWN 100
#define FOUND 20000

struct found {
	char *path;
	struct timespec time;
};

struct glob {
	struct tool_walk walk;
	struct tool_file *f;
	const char *pattern;
	struct found *list;
	size_t n;
	size_t cap;
};

static struct glob *glob_of(struct tool_walk *w)
{
	return (struct glob *)(void *)w;
}

static bool enters(struct tool_walk *w, const char *path)
{
	return tool_pattern_may_match_below(glob_of(w)->pattern, path);
}

static bool is_over(struct tool_walk *w)
{
	return tool_file_is_over(glob_of(w)->f);
}

static bool visit(struct tool_walk *w, int at, const char *name,
    const char *path, const struct stat *st)
{
	struct glob *g = glob_of(w);

	(void)at;
	(void)name;
	if (!tool_pattern_match(g->pattern, path))
		return true;
	if (g->n == FOUND) {
		w->is_cut = true;
		return false;
	}
	if (g->n == g->cap) {
		g->cap = g->cap ? 2 * g->cap : 64;
		g->list = mem_realloc(g->list, g->cap * sizeof *g->list);
	}
	g->list[g->n++] = (struct found){mem_strdup(path), st->st_mtim};
	return true;
}

/* The newest first; those of the same time by name. */
static int by_time(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->time.tv_sec != y->time.tv_sec)
		return x->time.tv_sec < y->time.tv_sec ? 1 : -1;
	if (x->time.tv_nsec != y->time.tv_nsec)
		return x->time.tv_nsec < y->time.tv_nsec ? 1 : -1;
	return strcmp(x->path, y->path);
}

static void show(struct glob *g)
{
	struct buf *out = &g->f->out;

	if (g->n)
		qsort(g->list, g->n, sizeof *g->list, by_time);
	else
		buf_printf(out, "No files found matching '%.300s'", g->pattern);
	for (size_t i = 0; i < g->n && i < SHOWN; i++) {
		if (i)
			buf_char(out, '\n');
		tool_text_put(out, g->list[i].path, strlen(g->list[i].path));
	}
	if (g->n > SHOWN)
		buf_printf(out, "\n\n... and %zu more files", g->n - SHOWN);
	if (g->walk.is_cut || tool_file_is_over(g->f))
		buf_str(out, "\n\n... the search was stopped: too many files; "
			     "narrow `path` or `pattern`");
}

enum tool_status tool_glob(struct tool_file *f)
{
	struct err err;
	char *pattern = tool_file_string(f, "pattern");
	char *path = tool_file_string(f, "path");
	const char *base = tool_root_relative(f->root, path ? path : ".");
	int fd = tool_root_folder(f->root, base, &err);
	struct glob g = {
	    .walk = {.base = base,
		.enters = enters,
		.visit = visit,
		.is_over = is_over},
	    .f = f,
	    .pattern = tool_root_relative(f->root, pattern ? pattern : ""),
	};

	if (fd >= 0) {
		tool_walk_run(&g.walk, fd);
		show(&g);
	} else {
		(void)tool_file_fail(f, "%s", err.text);
	}
	for (size_t i = 0; i < g.n; i++)
		free(g.list[i].path);
	free(g.list);
	free(path);
	free(pattern);
	return fd >= 0 ? TOOL_SUCCESS : TOOL_ERROR;
}
