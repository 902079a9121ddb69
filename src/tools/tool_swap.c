/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "tools/tool_swap.h"

#include "base/write_all.h"
#include "tools/tool_root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of a new file, subject to the umask. */
#define NEW_MODE 0666

struct temporary {
	int folder;
	int fd;
	char name[32];
};

static int fail(const char *path, int why, struct err *err)
{
	if (why == EEXIST)
		return err_set(err, ERR_BAD_REQUEST,
		    "File '%.300s' already exists. Use edit to change it, not "
		    "write",
		    path);
	if (why == EACCES || why == EPERM)
		return err_set(err, ERR_FORBIDDEN,
		    "Permission denied writing to '%.300s'", path);
	return err_set(err, ERR_BAD_REQUEST, "Failed to write '%.300s': %s",
	    path, strerror(why));
}

/* Returns false with errno. */
static bool temporary_open(struct temporary *t, mode_t mode)
{
	uint64_t number;

	if (getrandom(&number, sizeof number, 0) != sizeof number)
		return false;
	(void)snprintf(
	    t->name, sizeof t->name, ".co-%016llx", (unsigned long long)number);
	t->fd = openat(t->folder, t->name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	return t->fd >= 0;
}

static void temporary_close(struct temporary *t)
{
	int why = errno;

	if (t->fd >= 0) {
		(void)close(t->fd); /* synced, or discarded */
		(void)unlinkat(t->folder, t->name, 0); /* it may be gone */
	}
	(void)close(t->folder); /* nothing was written */
	errno = why;
}

static bool fill(
    struct temporary *t, const char *content, size_t len, struct stat *st)
{
	return write_all(t->fd, content, len) && fsync(t->fd) == 0 &&
	       fstat(t->fd, st) == 0;
}

int tool_swap_new(const struct tool_root *r, const char *path,
    const char *content, size_t len, struct stat *st, struct err *err)
{
	const char *name;
	struct temporary t = {
	    .folder = tool_root_parent(r, path, true, &name, err), .fd = -1};

	if (t.folder < 0)
		return -1;
	bool is_written =
	    faccessat(t.folder, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0
		? (errno = EEXIST, false)
		: temporary_open(&t, NEW_MODE) && fill(&t, content, len, st) &&
		      linkat(t.folder, t.name, t.folder, name, 0) == 0;
	temporary_close(&t);
	return is_written ? 0 : fail(path, errno, err);
}

/* ---- replacing ---- */

static bool is_unchanged(const struct stat *was, const struct stat *now)
{
	return was->st_dev == now->st_dev && was->st_ino == now->st_ino &&
	       was->st_size == now->st_size &&
	       was->st_mtim.tv_sec == now->st_mtim.tv_sec &&
	       was->st_mtim.tv_nsec == now->st_mtim.tv_nsec;
}

/* Only root can give a file away; others own the new one. */
static bool keep_rights(int fd, const struct stat *was)
{
	(void)!fchown(fd, was->st_uid, was->st_gid);
	return fchmod(fd, was->st_mode & 07777) == 0;
}

static bool still_is(
    const struct temporary *t, const char *name, const struct stat *was)
{
	struct stat now;

	if (fstatat(t->folder, name, &now, AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	errno = ESTALE;
	return is_unchanged(was, &now);
}

int tool_swap_old(const struct tool_root *r, const char *path,
    const char *content, size_t len, const struct stat *was, struct err *err)
{
	const char *name;
	struct stat st;
	struct temporary t = {
	    .folder = tool_root_parent(r, path, false, &name, err), .fd = -1};

	if (t.folder < 0)
		return -1;
	bool is_written = temporary_open(&t, S_IRUSR | S_IWUSR) &&
			  fill(&t, content, len, &st) &&
			  keep_rights(t.fd, was) && still_is(&t, name, was) &&
			  renameat(t.folder, t.name, t.folder, name) == 0;
	temporary_close(&t);
	if (is_written)
		return 0;
	if (errno == ESTALE)
		return err_set(err, ERR_BAD_REQUEST,
		    "'%.300s' has changed meanwhile; read it again", path);
	return fail(path, errno, err);
}
