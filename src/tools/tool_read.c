/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/utf8.h"
#include "tools/tool_files.h"
#include "tools/tool_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The number of lines that are shown if the call does not say. */
#define LINES 2000

/* The maximum number of characters shown of a line. */
#define LINE_CHARACTERS 500

/* Bytes that are read of a line; four for each character, and some more. */
#define LINE_BYTES 4096

/* After the lines to be shown, so much is read to count the others. */
#define COUNTED_BYTES ((int64_t)16 << 20)

#define PIECE 65536

/* Room for the last words within TOOL_RESULT_MAX. */
#define ROOM 200

struct reader {
	struct tool_file *f;
	int64_t first; /* line to show, from 1 */
	int64_t last;
	int64_t line;	 /* the present one */
	struct buf text; /* of the present line, up to LINE_BYTES */
	bool is_begun;	 /* the present line has a byte */
	bool is_full;	 /* the result is */
	int64_t n_left;	 /* lines behind the last one shown */
	int64_t n_bytes; /* read after it */
};

static void show_line(struct reader *r)
{
	struct buf line = {0};
	struct buf *out = &r->f->out;
	size_t len = r->text.len;

	if (len && r->text.data[len - 1] == '\r')
		len--;
	tool_text_put(&line, r->text.data, len);
	size_t shown =
	    utf8_prefix(line.len ? line.data : "", line.len, LINE_CHARACTERS);
	if (out->len + shown + ROOM > TOOL_RESULT_MAX) {
		r->is_full = true;
		r->n_left++;
	} else {
		if (out->len)
			buf_char(out, '\n');
		buf_printf(out, "%6" PRId64 "\t", r->line);
		buf_append(out, line.data, shown);
		if (shown < line.len)
			buf_str(out, "...");
	}
	buf_fini(&line);
}

static void end_line(struct reader *r)
{
	if (r->line >= r->first && r->line <= r->last && !r->is_full)
		show_line(r);
	else if (r->line > r->last || r->is_full)
		r->n_left++;
	buf_reset(&r->text);
	r->is_begun = false;
	r->line++;
}

static void take(struct reader *r, const char *s, size_t n)
{
	while (n > 0) {
		const char *end = memchr(s, '\n', n);
		size_t len = end ? (size_t)(end - s) : n;
		size_t room = LINE_BYTES - r->text.len;

		buf_append(&r->text, s, len < room ? len : room);
		r->is_begun = true;
		if (!end)
			return;
		end_line(r);
		s += len + 1;
		n -= len + 1;
	}
}

static bool is_enough(const struct reader *r, ssize_t n)
{
	return (r->line > r->last || r->is_full) &&
	       r->n_bytes + n > COUNTED_BYTES;
}

/* Returns 1 if the file has more, 0 at its end, -1 with errno. */
static int read_lines(struct reader *r, int fd)
{
	struct buf space = {0};
	ssize_t n;

	for (;;) {
		if (tool_file_is_over(r->f)) {
			errno = ETIMEDOUT;
			n = -1;
			break;
		}
		n = read(fd, buf_reserve(&space, PIECE), PIECE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || is_enough(r, n))
			break;
		if (r->line > r->last || r->is_full)
			r->n_bytes += n;
		take(r, space.data, (size_t)n);
	}
	buf_fini(&space);
	return n > 0 ? 1 : (int)n;
}

static void show_rest(struct reader *r, bool has_more)
{
	struct buf *out = &r->f->out;

	if (r->n_left || has_more)
		buf_printf(out, "\n\n... (%s%" PRId64 " more lines)",
		    has_more ? "at least " : "", r->n_left);
}

enum tool_status tool_read(struct tool_file *f)
{
	struct err err;
	int64_t limit = tool_file_int(f, "limit", LINES);
	struct reader r = {
	    .f = f, .first = tool_file_int(f, "offset", 1), .line = 1};
	char *path = tool_file_string(f, "path");
	int fd = path ? tool_root_file(f->root, path, &err)
		      : err_set(&err, ERR_BAD_REQUEST, "no path");

	if (fd < 0) {
		free(path);
		return tool_file_fail(f, "%s", err.text);
	}
	if (r.first < 1)
		r.first = 1;
	r.last = limit < 1 || limit > INT64_MAX - r.first ? INT64_MAX
							  : r.first + limit - 1;
	int rc = read_lines(&r, fd);
	enum tool_status status = TOOL_SUCCESS;
	if (rc < 0) {
		status =
		    tool_file_fail(f, "'%.300s': %s", path, strerror(errno));
	} else {
		if (r.is_begun)
			end_line(&r);
		show_rest(&r, rc > 0);
	}
	(void)close(fd); /* nothing was written */
	buf_fini(&r.text);
	free(path);
	return status;
}
