/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/mem.h"
#include "base/utf8.h"
#include "tools/tool_files.h"
#include "tools/tool_pattern.h"
#include "tools/tool_regex.h"
#include "tools/tool_text.h"
#include "tools/tool_walk.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* The maximum number of files, and the largest file, in a search. */
#define FILES_MAX 20000
#define FILE_BYTES ((size_t)2 << 20)

/* The largest file that the call may name itself. */
#define OWN_FILE_BYTES ((size_t)32 << 20)

/* How many matches are shown of one file, and characters of a line. */
#define FILE_MATCHES 10
#define LINE_CHARACTERS 500

#define RESULTS_MAX 1000
#define CONTEXT_MAX 50

/* Files of these kinds hold no text. */
static const char *const binary[] = {".pyc", ".pyo", ".so", ".dylib", ".dll",
    ".exe", ".o", ".a", ".png", ".jpg", ".jpeg", ".gif", ".ico", ".svg",
    ".webp", ".pdf", ".doc", ".docx", ".xls", ".xlsx", ".zip", ".tar", ".gz",
    ".xz", ".zst", ".rar", ".7z", ".mp3", ".mp4", ".wav", ".avi", ".mov",
    ".ttf", ".woff", ".woff2", ".eot", ".lock", ".bin", ".dat"};

enum mode { SHOW_FILES, SHOW_CONTENT, SHOW_COUNT };

struct line {
	const char *text;
	size_t len;
	bool is_match;
};

struct grep {
	struct tool_walk walk;
	struct tool_file *f;
	struct tool_regex *regex;
	const char *file_pattern; /* NULL: all */
	enum mode mode;
	int64_t context;
	int64_t max;
	int64_t n_results;
	size_t n_files;
	bool is_full;	    /* of results */
	struct buf content; /* of the present file */
	struct line *lines;
	size_t n_lines;
	size_t cap;
};

static struct grep *grep_of(struct tool_walk *w)
{
	return (struct grep *)(void *)w;
}

static bool is_over(struct tool_walk *w)
{
	return tool_file_is_over(grep_of(w)->f);
}

/* ---- one file ---- */

static void add_line(struct grep *g, const char *s, size_t len)
{
	if (g->n_lines == g->cap) {
		g->cap = g->cap ? 2 * g->cap : 256;
		g->lines = mem_realloc(g->lines, g->cap * sizeof *g->lines);
	}
	if (len && s[len - 1] == '\r')
		len--;
	g->lines[g->n_lines++] = (struct line){s, len, false};
}

static void split(struct grep *g)
{
	const char *s = g->content.data;
	const char *end = s + g->content.len;

	g->n_lines = 0;
	while (s < end) {
		const char *stop = memchr(s, '\n', (size_t)(end - s));
		add_line(g, s, (size_t)((stop ? stop : end) - s));
		s = stop ? stop + 1 : end;
	}
}

/* Returns the number of lines that match, as far as there is time. */
static size_t match_lines(struct grep *g)
{
	size_t n = 0;

	split(g);
	for (size_t i = 0; i < g->n_lines; i++) {
		struct line *l = &g->lines[i];

		if (tool_file_is_over(g->f))
			break;
		l->is_match = tool_regex_find(g->regex, l->text, l->len);
		n += l->is_match;
		/* The first match answers whether there is one. */
		if (n && g->mode == SHOW_FILES)
			break;
	}
	return n;
}

static void put_line(struct grep *g, size_t i, const char *mark)
{
	struct buf *out = &g->f->out;
	struct buf text = {0};

	tool_text_put(&text, g->lines[i].text, g->lines[i].len);
	size_t shown =
	    utf8_prefix(text.len ? text.data : "", text.len, LINE_CHARACTERS);
	buf_printf(out, "\n  %s%zu: ", mark, i + 1);
	buf_append(out, text.data, shown);
	if (shown < text.len)
		buf_str(out, "...");
	buf_fini(&text);
}

static void put_context(struct grep *g, size_t at)
{
	size_t context = (size_t)g->context;
	size_t first = at > context ? at - context : 0;

	for (size_t i = first; i < g->n_lines && i <= at + context; i++)
		put_line(g, i, i == at ? "> " : "  ");
	buf_char(&g->f->out, '\n');
}

static void put_content(struct grep *g)
{
	int shown = 0;

	for (size_t i = 0; i < g->n_lines && !g->is_full; i++) {
		if (!g->lines[i].is_match)
			continue;
		if (shown++ == FILE_MATCHES)
			break;
		if (g->context > 0)
			put_context(g, i);
		else
			put_line(g, i, "");
		g->is_full = ++g->n_results >= g->max ||
			     g->f->out.len >= TOOL_RESULT_MAX / 2;
	}
}

static void put_result(struct grep *g, const char *path, size_t n)
{
	struct buf *out = &g->f->out;

	if (out->len)
		buf_str(out, g->mode == SHOW_CONTENT ? "\n\n" : "\n");
	tool_text_put(out, path, strlen(path));
	if (g->mode == SHOW_CONTENT) {
		buf_char(out, ':');
		put_content(g);
		return;
	}
	if (g->mode == SHOW_COUNT)
		buf_printf(out, ": %zu matches", n);
	g->is_full =
	    ++g->n_results >= g->max || out->len >= TOOL_RESULT_MAX / 2;
}

/* Closes fd. Returns -1 if the file cannot be read. */
static int search(
    struct grep *g, int fd, const char *path, size_t max, struct err *err)
{
	buf_reset(&g->content);
	int rc = tool_file_read(fd, path, max, &g->content, err);
	(void)close(fd); /* nothing was written */
	if (rc != 0)
		return -1;
	(void)buf_cstr(&g->content); /* there are bytes even if it is empty */
	size_t n = match_lines(g);
	if (n)
		put_result(g, path, n);
	return 0;
}

/* ---- many files ---- */

static bool is_binary(const char *name)
{
	const char *suffix = strrchr(name, '.');

	for (size_t i = 0; suffix && i < sizeof binary / sizeof *binary; i++)
		if (strcasecmp(suffix, binary[i]) == 0)
			return true;
	return false;
}

/* What cannot be read is left out. */
static bool visit(struct tool_walk *w, int at, const char *name,
    const char *path, const struct stat *st)
{
	struct grep *g = grep_of(w);
	struct err err;

	if (is_binary(name) || (size_t)st->st_size > FILE_BYTES ||
	    (g->file_pattern &&
		!tool_pattern_match_end(g->file_pattern, path)) ||
	    tool_root_is_private_file(g->f->root, st))
		return true;
	if (g->n_files == FILES_MAX) {
		w->is_cut = true;
		return false;
	}
	g->n_files++;
	int fd =
	    openat(at, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0)
		(void)search(g, fd, path, FILE_BYTES, &err);
	return !g->is_full;
}

static int search_all(struct grep *g, const char *base, struct err *err)
{
	int fd = tool_root_folder(g->f->root, base, err);

	if (fd >= 0) {
		g->walk.base = base;
		tool_walk_run(&g->walk, fd);
		return 0;
	}
	if (err->code != ERR_BAD_REQUEST)
		return -1;
	fd = tool_root_file(g->f->root, base, err); /* it is no folder */
	if (fd < 0)
		return -1;
	return search(g, fd, base, OWN_FILE_BYTES, err);
}

static void put_end(struct grep *g, const char *pattern)
{
	struct buf *out = &g->f->out;

	if (!out->len)
		buf_printf(out, "No matches found for '%.300s'", pattern);
	if (g->is_full)
		buf_printf(
		    out, "\n\n... results truncated at %" PRId64, g->n_results);
	else if (tool_file_is_over(g->f))
		buf_printf(out,
		    "\n\n... the search was stopped after %d s; narrow `path` "
		    "or set `file_pattern`",
		    TOOL_FILE_TIMEOUT_MS / 1000);
	else if (g->walk.is_cut)
		buf_printf(out,
		    "\n\n... search stopped after %zu files; narrow `path` or "
		    "set `file_pattern`",
		    g->n_files);
	if (tool_regex_has_given_up(g->regex))
		buf_str(out, "\n\n... some lines were left out: the pattern "
			     "takes too long on them");
}

static enum mode mode_of(const struct tool_file *f)
{
	const struct json *mode = json_get(f->args, "output_mode");

	return json_str_is(mode, "content") ? SHOW_CONTENT
	       : json_str_is(mode, "count") ? SHOW_COUNT
					    : SHOW_FILES;
}

static int64_t within(int64_t n, int64_t least, int64_t most)
{
	return n < least ? least : n > most ? most : n;
}

enum tool_status tool_grep(struct tool_file *f)
{
	struct err err;
	char *pattern = tool_file_string(f, "pattern");
	char *path = tool_file_string(f, "path");
	char *file_pattern = tool_file_string(f, "file_pattern");
	struct grep g = {
	    .walk = {.visit = visit, .is_over = is_over},
	    .f = f,
	    .regex = tool_regex_new(
		pattern ? pattern : "", tool_file_bool(f, "ignore_case"), &err),
	    .file_pattern = file_pattern,
	    .mode = mode_of(f),
	    .context =
		within(tool_file_int(f, "context_lines", 0), 0, CONTEXT_MAX),
	    .max = within(tool_file_int(f, "max_results", 50), 1, RESULTS_MAX),
	};
	bool is_done =
	    g.regex &&
	    search_all(
		&g, tool_root_relative(f->root, path ? path : "."), &err) == 0;

	if (is_done)
		put_end(&g, pattern ? pattern : "");
	else
		(void)tool_file_fail(f, "%s", err.text);
	tool_regex_free(&g.regex);
	buf_fini(&g.content);
	free(g.lines);
	free(file_pattern);
	free(path);
	free(pattern);
	return is_done ? TOOL_SUCCESS : TOOL_ERROR;
}
