/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "tools/tool_walk.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/wild.h"
#include "tools/tool_root.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const left_out[] = {".git", "node_modules", "__pycache__",
    ".venv", "venv", ".env", "dist", "build", ".next", ".nuxt", "target",
    ".idea", ".vscode", "*.egg-info"};

/* A sorted listing. */
struct names {
	char **list;
	size_t n;
	size_t cap;
};

static bool is_left_out(const char *name)
{
	for (size_t i = 0; i < sizeof left_out / sizeof *left_out; i++)
		if (wild_match(left_out[i], name))
			return true;
	return false;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool has_room(struct tool_walk *w)
{
	if (w->n_entries < TOOL_WALK_ENTRIES) {
		w->n_entries++;
		return true;
	}
	w->is_cut = true;
	return false;
}

static void read_names(struct tool_walk *w, DIR *dir, struct names *names)
{
	const struct dirent *e;

	while ((e = readdir(dir)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (!has_room(w) || w->is_over(w))
			break;
		if (names->n == names->cap) {
			names->cap = names->cap ? 2 * names->cap : 64;
			names->list = mem_realloc(
			    names->list, names->cap * sizeof *names->list);
		}
		names->list[names->n++] = mem_strdup(e->d_name);
	}
	if (names->n)
		qsort(names->list, names->n, sizeof *names->list, by_name);
}

static bool is_private(const struct tool_walk *w, const char *path)
{
	struct buf whole = {0};

	buf_printf(&whole, "%s/%s", w->base, path);
	bool answer = tool_root_is_private(buf_cstr(&whole));
	buf_fini(&whole);
	return answer;
}

static bool walk(struct tool_walk *w, int fd, struct buf *path, int depth);

static bool enter(
    struct tool_walk *w, int at, const char *name, struct buf *path, int depth)
{
	if (is_left_out(name) || (w->enters && !w->enters(w, buf_cstr(path))))
		return true;
	if (depth == TOOL_WALK_DEPTH) {
		w->is_cut = true;
		return true;
	}
	int fd =
	    openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 || walk(w, fd, path, depth + 1);
}

/* Returns false to end the walk. */
static bool look(
    struct tool_walk *w, int at, const char *name, struct buf *path, int depth)
{
	struct stat st;

	if (w->is_over(w))
		return false;
	if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    is_private(w, buf_cstr(path)))
		return true;
	if (S_ISDIR(st.st_mode))
		return enter(w, at, name, path, depth);
	return !S_ISREG(st.st_mode) ||
	       w->visit(w, at, name, buf_cstr(path), &st);
}

/* Closes fd. */
static bool walk(struct tool_walk *w, int fd, struct buf *path, int depth)
{
	DIR *dir = fdopendir(fd);
	struct names names = {0};
	size_t len = path->len;
	bool goes_on = true;

	if (!dir) {
		(void)close(fd); /* nothing was written */
		return true;
	}
	read_names(w, dir, &names);
	for (size_t i = 0; i < names.n; i++) {
		if (goes_on) {
			if (len)
				buf_char(path, '/');
			buf_str(path, names.list[i]);
			goes_on =
			    look(w, dirfd(dir), names.list[i], path, depth);
			path->len = len;
		}
		free(names.list[i]);
	}
	free(names.list);
	(void)closedir(dir); /* nothing was written */
	return goes_on;
}

void tool_walk_run(struct tool_walk *w, int fd)
{
	struct buf path = {0};

	(void)walk(w, fd, &path, 0);
	buf_fini(&path);
}
