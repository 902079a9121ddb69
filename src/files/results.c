/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "files/results.h"

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/write_all.h"
#include "core/err.h"
#include "files/result_line.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK ((size_t)256 * 1024)

/* Lines longer than this are skipped. */
#define MAX_LINE ((size_t)256 * 1024 * 1024)

struct results {
	char *path;
	char *lock_path;
	char *new_path; /* the output of a compaction */
	int lock;	/* descriptors; -1 while not locked */
	int fd;
	uint64_t size;
};

static char *results_join(const char *path, const char *end)
{
	struct buf b = {0};
	buf_printf(&b, "%s%s", path, end);
	return buf_steal(&b, NULL);
}

struct results *results_new(const char *path)
{
	struct results *r = mem_zero(sizeof *r);
	r->path = mem_strdup(path);
	r->lock_path = results_join(path, ".lock");
	r->new_path = results_join(path, ".new");
	r->lock = r->fd = -1;
	return r;
}

void results_free(struct results **r)
{
	if (!*r)
		return;
	results_unlock(*r);
	free((*r)->path);
	free((*r)->lock_path);
	free((*r)->new_path);
	free(*r);
	*r = NULL;
}

static int results_failed(const char *what, const char *path, struct err *err)
{
	return err_set(
	    err, ERR_STORE, "%s %s: %s", what, path, strerror(errno));
}

static int close_file(int *fd)
{
	int rc = *fd < 0 ? 0 : close(*fd);
	*fd = -1;
	return rc;
}

void results_unlock(struct results *r)
{
	(void)close_file(&r->fd);   /* the data has been written */
	(void)close_file(&r->lock); /* this unlocks */
}

uint64_t results_size(const struct results *r)
{
	return r->size;
}

/* ---- reading ---- */

/*
 * Read n bytes from 'at'; fewer at the end of the file. Returns -1 with errno.
 */
static ssize_t read_at(int fd, char *to, size_t n, uint64_t at)
{
	size_t done = 0;
	while (done < n) {
		ssize_t got =
		    pread(fd, to + done, n - done, (off_t)(at + done));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

typedef void line_fn(void *arg, const char *line, size_t len, uint64_t at);

/* A scan of the file in chunks, split into lines. */
struct scan {
	struct buf text;  /* read and not passed on yet */
	size_t seen;	  /* bytes of it known to have no newline */
	uint64_t at;	  /* offset of the text in the file */
	bool is_skipping; /* inside a line that is too long */
};

static void tell_lines(struct scan *s, line_fn *fn, void *arg)
{
	const char *end, *data = s->text.data;
	size_t from = 0, at = s->seen;
	while ((end = memchr(data + at, '\n', s->text.len - at)) != NULL) {
		size_t len = (size_t)(end - data) - from;
		if (s->is_skipping)
			fn(arg, NULL, 0, s->at + from);
		else
			fn(arg, data + from, len, s->at + from);
		s->is_skipping = false;
		from = at = from + len + 1;
	}
	if (s->text.len - from > MAX_LINE) {
		s->is_skipping = true;
		from = s->text.len;
	}
	buf_consume(&s->text, from);
	s->at += from;
	s->seen = s->text.len;
}

/*
 * Call fn for each line; len excludes the newline. A line that is too long is
 * NULL.
 */
static int each_line(struct results *r, line_fn *fn, void *arg)
{
	struct scan s = {.at = 0};
	ssize_t n;
	while ((n = read_at(r->fd, buf_reserve(&s.text, CHUNK), CHUNK,
		    s.at + s.text.len)) > 0) {
		s.text.len += (size_t)n;
		tell_lines(&s, fn, arg);
	}
	/* A file opened without the lock may lack its last newline. */
	if (n == 0 && s.text.len && !s.is_skipping)
		fn(arg, s.text.data, s.text.len, s.at);
	buf_fini(&s.text);
	return n < 0 ? -1 : 0;
}

/* ---- opening ---- */

/* Find where an unterminated last line begins. Returns -1 with errno. */
static int find_torn(const struct results *r, uint64_t *begin)
{
	static char chunk[CHUNK];
	uint64_t end = r->size;
	while (end) {
		size_t n = end < CHUNK ? (size_t)end : CHUNK;
		ssize_t got = read_at(r->fd, chunk, n, end - n);
		if (got != (ssize_t)n)
			return -1;
		const char *nl = memrchr(chunk, '\n', n);
		if (nl) {
			*begin = end - n + (size_t)(nl - chunk) + 1;
			return 0;
		}
		end -= n;
	}
	*begin = 0;
	return 0;
}

/*
 * Whether the bytes from 'begin' on are a record that lacks only its newline.
 */
static bool is_record(const struct results *r, uint64_t begin)
{
	struct result_line line = {.talk = {NULL, 0}};
	size_t len = (size_t)(r->size - begin);
	if (len > MAX_LINE)
		return false;
	char *text = mem_alloc(len);
	bool is_whole = read_at(r->fd, text, len, begin) == (ssize_t)len &&
			result_line_read(&line, text, len);
	result_line_fini(&line);
	free(text);
	return is_whole;
}

/* Repair the incomplete line left by a killed writer or a full disk. */
static int mend(struct results *r)
{
	uint64_t begin;
	if (find_torn(r, &begin) != 0)
		return -1;
	if (begin == r->size)
		return 0;
	if (is_record(r, begin)) {
		if (write(r->fd, "\n", 1) != 1)
			return -1;
		r->size++;
		return 0;
	}
	if (ftruncate(r->fd, (off_t)begin) != 0)
		return -1;
	r->size = begin;
	return 0;
}

static int open_file(struct results *r)
{
	struct stat st;
	r->fd = open(r->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (r->fd < 0 || fstat(r->fd, &st) != 0)
		return -1;
	/* It contains conversations, whoever created it. */
	if (st.st_mode & 077)
		(void)fchmod(r->fd, 0600); /* works only if we own it */
	r->size = (uint64_t)st.st_size;
	return mend(r);
}

static int take_lock(struct results *r)
{
	r->lock = open(r->lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (r->lock < 0)
		return -1;
	if (flock(r->lock, LOCK_EX | LOCK_NB) == 0)
		return 0;
	return errno == EWOULDBLOCK ? 1 : -1;
}

int results_lock(struct results *r, struct err *err)
{
	int rc = take_lock(r);
	if (rc < 0)
		rc = results_failed("cannot lock", r->lock_path, err);
	else if (rc == 0 && open_file(r) != 0)
		rc = results_failed("cannot open", r->path, err);
	if (rc != 0)
		results_unlock(r);
	return rc;
}

int results_open(struct results *r, struct err *err)
{
	r->fd = open(r->path, O_RDONLY | O_CLOEXEC);
	return r->fd < 0 ? results_failed("cannot open", r->path, err) : 0;
}

/* ---- writing ---- */

int results_append(struct results *r, const struct buf *lines, struct err *err)
{
	if (write_all(r->fd, lines->data, lines->len)) {
		r->size += lines->len;
		return 0;
	}
	int rc = results_failed("cannot write", r->path, err);
	/* If this fails too, the next process to open the file repairs it. */
	(void)!ftruncate(r->fd, (off_t)r->size);
	return rc;
}

/* ---- marks ---- */

struct marking {
	struct map *marks;
	struct result_line line;
	size_t n; /* lines seen */
	results_left_fn *left;
	void *arg;
};

static bool results_is_blank(const char *text, size_t len)
{
	while (len && strchr(" \t\r", text[len - 1]) && text[len - 1])
		len--;
	return len == 0;
}

/* Parse a line into m->line. Returns whether it is a record. */
static bool results_read_line(struct marking *m, const char *text, size_t len)
{
	const char *why = "it is longer than a record can be";
	if (text && result_line_read(&m->line, text, len))
		return true;
	if (text)
		why = "it is not a record of a session";
	if (m->left && !(text && results_is_blank(text, len)))
		m->left(m->arg, m->n, why);
	return false;
}

static void mark_line(void *arg, const char *text, size_t len, uint64_t at)
{
	struct marking *m = arg;
	const struct record *r = &m->line.record;
	m->n++;
	if (!results_read_line(m, text, len))
		return;
	struct result_mark *mark = map_get(m->marks, r->id.data, r->id.len);
	if (!mark) {
		mark = mem_zero(sizeof *mark);
		(void)map_put(m->marks, r->id.data, r->id.len, mark);
	}
	*mark = (struct result_mark){
	    .at = at,
	    .line = m->n,
	    .len = len + 1,
	    .created_ms = r->created_ms,
	    .expires_ms = r->expires_ms,
	    .status = r->status,
	};
}

struct map *results_marks(
    struct results *r, results_left_fn *left, void *arg, struct err *err)
{
	struct marking m = {.marks = map_new(), .left = left, .arg = arg};
	if (each_line(r, mark_line, &m) != 0) {
		(void)results_failed("cannot read", r->path, err);
		results_marks_free(&m.marks);
	}
	result_line_fini(&m.line);
	return m.marks;
}

static int free_mark(void *value, void *arg)
{
	(void)arg;
	free(value);
	return 0;
}

void results_marks_free(struct map **marks)
{
	if (!*marks)
		return;
	(void)map_each(*marks, free_mark, NULL);
	map_free(marks);
}

int results_read(struct results *r, const struct result_mark *mark,
    struct result_line *line, struct err *err)
{
	struct buf *text = &line->text;
	buf_reset(text);
	ssize_t n =
	    read_at(r->fd, buf_reserve(text, mark->len), mark->len, mark->at);
	if (n < 0)
		return results_failed("cannot read", r->path, err);
	text->len = (size_t)n;
	if (text->len + 1 < mark->len ||
	    !result_line_read(line, text->data, text->len))
		return err_set(err, ERR_STORE, "%s has changed", r->path);
	return 0;
}

/* ---- compaction ---- */

struct keeping {
	struct result_mark **kept;
	size_t n;
	uint64_t bytes;
};

static int keep_mark(void *value, void *arg)
{
	struct result_mark *mark = value;
	struct keeping *k = arg;
	if (mark->status != RECORD_RUNNING && mark->expires_ms &&
	    mark->expires_ms <= clock_expiry_ms())
		return 0;
	k->kept[k->n++] = mark;
	k->bytes += mark->len;
	return 0;
}

static int by_creation(const void *a, const void *b)
{
	const struct result_mark *x = *(struct result_mark *const *)a;
	const struct result_mark *y = *(struct result_mark *const *)b;
	if (x->created_ms != y->created_ms)
		return x->created_ms < y->created_ms ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

static int copy_lines(int from, int to, const struct keeping *k)
{
	struct buf out = {0};
	int rc = 0;
	for (size_t i = 0; i < k->n && rc == 0; i++) {
		size_t len = k->kept[i]->len;
		if (read_at(from, buf_reserve(&out, len), len,
			k->kept[i]->at) != (ssize_t)len)
			rc = -1;
		out.len += len;
		if (rc == 0 && out.len >= CHUNK) {
			rc = write_all(to, out.data, out.len) ? 0 : -1;
			buf_reset(&out);
		}
	}
	if (rc == 0)
		rc = write_all(to, out.data, out.len) ? 0 : -1;
	buf_fini(&out);
	return rc;
}

static int results_write_new(struct results *r, int fd, const struct keeping *k)
{
	struct stat st;
	if (copy_lines(r->fd, fd, k) != 0 || fsync(fd) != 0 ||
	    fstat(r->fd, &st) != 0)
		return -1;
	/* A program that ignores the lock has appended: try another time. */
	if ((uint64_t)st.st_size != r->size)
		return unlink(r->new_path);
	if (rename(r->new_path, r->path) != 0)
		return -1;
	(void)dup3(fd, r->fd, O_CLOEXEC); /* both are open, so it cannot fail */
	r->size = k->bytes;
	return 0;
}

static int results_replace(
    struct results *r, const struct keeping *k, struct err *err)
{
	int fd = open(r->new_path,
	    O_RDWR | O_APPEND | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int rc = fd < 0 ? -1 : results_write_new(r, fd, k);
	if (rc != 0) {
		rc = results_failed("cannot write", r->new_path, err);
		(void)unlink(r->new_path); /* or the next run truncates it */
	}
	(void)close_file(&fd); /* it was synced, or is deleted */
	return rc;
}

int results_compact(struct results *r, const struct map *marks, struct err *err)
{
	struct keeping k = {.n = 0};
	int rc = 0;
	k.kept = mem_zero((map_count(marks) + 1) * sizeof *k.kept);
	(void)map_each(marks, keep_mark, &k);
	if (k.bytes < r->size) {
		qsort(k.kept, k.n, sizeof *k.kept, by_creation);
		rc = results_replace(r, &k, err);
	}
	free(k.kept);
	return rc;
}
