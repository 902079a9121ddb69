/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "files/copy_tree.h"

#include "base/write_all.h"
#include "core/err.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Folders within folders; .co has three levels. */
#define MAX_DEPTH 32

#define PIECE_BYTES 65536

struct tree {
	struct copy_count *count;
	struct err *err;
	unsigned depth;
};

/* An entry of a folder: where it is and where its copy goes. */
struct entry {
	int from; /* the folder */
	int to;
	const char *name;
};

static int copy_failed(struct tree *t, const char *what, const char *name)
{
	return err_set(
	    t->err, ERR_STORE, "cannot %s %s: %s", what, name, strerror(errno));
}

/* ---- files ---- */

static int copy_bytes(struct tree *t, int in, int out, const char *name)
{
	char piece[PIECE_BYTES];
	ssize_t n;
	while ((n = read(in, piece, sizeof piece)) > 0) {
		if (!write_all(out, piece, (size_t)n))
			return copy_failed(t, "write the copy of", name);
		t->count->bytes += (uint64_t)n;
	}
	return n < 0 ? copy_failed(t, "read", name) : 0;
}

static int finish(
    struct tree *t, int out, const struct stat *st, const char *name)
{
	const struct timespec times[2] = {st->st_atim, st->st_mtim};
	if (fchmod(out, st->st_mode & 0777) != 0 || futimens(out, times) != 0 ||
	    fsync(out) != 0)
		return copy_failed(t, "write the copy of", name);
	return 0;
}

static int copy_file(struct tree *t, const struct entry *e, int in)
{
	struct stat st;
	if (fstat(in, &st) != 0)
		return copy_failed(t, "read", e->name);
	int out = openat(
	    e->to, e->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0)
		return copy_failed(t, "write the copy of", e->name);
	int rc = copy_bytes(t, in, out, e->name);
	if (rc == 0)
		rc = finish(t, out, &st, e->name);
	(void)close(out); /* synced, or failed already */
	t->count->files += rc == 0;
	return rc;
}

static int copy_link(struct tree *t, const struct entry *e)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(e->from, e->name, target, sizeof target - 1);
	if (n < 0)
		return errno == ENOENT ? 0 : copy_failed(t, "read", e->name);
	target[n] = '\0';
	if (symlinkat(target, e->to, e->name) != 0)
		return copy_failed(t, "write the copy of", e->name);
	t->count->files++;
	return 0;
}

/* ---- folders ---- */

static int copy_folder(
    struct tree *t, int from, int to, const char *const *skip);

static int copy_below(struct tree *t, const struct entry *e, int in)
{
	struct stat st;
	if (fstat(in, &st) != 0 || mkdirat(e->to, e->name, 0700) != 0)
		return copy_failed(t, "make the copy of", e->name);
	int out = openat(
	    e->to, e->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (out < 0)
		return copy_failed(t, "open the copy of", e->name);
	t->depth++;
	int rc = copy_folder(t, in, out, NULL);
	t->depth--;
	if (rc == 0)
		rc = finish(t, out, &st, e->name);
	(void)close(out); /* nothing is written to it */
	return rc;
}

static int copy_opened(struct tree *t, const struct entry *e, int in)
{
	struct stat st;
	if (fstat(in, &st) != 0)
		return copy_failed(t, "read", e->name);
	if (S_ISREG(st.st_mode))
		return copy_file(t, e, in);
	if (!S_ISDIR(st.st_mode))
		return 0;
	if (t->depth < MAX_DEPTH)
		return copy_below(t, e, in);
	errno = ELOOP;
	return copy_failed(t, "copy", e->name);
}

/* Not blocking, since it might be a pipe. */
static int copy_entry(struct tree *t, const struct entry *e)
{
	int in = openat(e->from, e->name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (in < 0 && errno == ELOOP)
		return copy_link(t, e);
	if (in < 0 && (errno == ENOENT || errno == ENXIO))
		return 0;
	if (in < 0)
		return copy_failed(t, "read", e->name);
	int rc = copy_opened(t, e, in);
	(void)close(in); /* only read */
	return rc;
}

static bool is_skipped(const char *name, const char *const *skip)
{
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return true;
	for (; skip && *skip; skip++)
		if (strcmp(name, *skip) == 0)
			return true;
	return false;
}

static int copy_entries(
    struct tree *t, DIR *dir, int to, const char *const *skip)
{
	for (;;) {
		errno = 0;
		const struct dirent *d = readdir(dir);
		if (!d)
			return errno ? copy_failed(t, "read", "a folder") : 0;
		struct entry e = {dirfd(dir), to, d->d_name};
		if (!is_skipped(d->d_name, skip) && copy_entry(t, &e) != 0)
			return -1;
	}
}

static int copy_folder(
    struct tree *t, int from, int to, const char *const *skip)
{
	int fd = fcntl(from, F_DUPFD_CLOEXEC, 0);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		if (fd >= 0)
			(void)close(fd); /* only read */
		return copy_failed(t, "read", "a folder");
	}
	int rc = copy_entries(t, dir, to, skip);
	(void)closedir(dir); /* only read */
	return rc;
}

static int open_folder(struct tree *t, const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? copy_failed(t, "open", path) : fd;
}

int copy_tree(const char *from, const char *to, const char *const *skip,
    struct copy_count *count, struct err *err)
{
	struct tree t = {.count = count, .err = err};
	int out, in = open_folder(&t, from);
	if (in < 0)
		return -1;
	out = open_folder(&t, to);
	int rc = out < 0 ? -1 : copy_folder(&t, in, out, skip);
	if (rc == 0 && fsync(out) != 0)
		rc = copy_failed(&t, "write", to);
	(void)close(in); /* only read */
	if (out >= 0)
		(void)close(out); /* synced */
	return rc;
}
