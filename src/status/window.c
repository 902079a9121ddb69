/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "status/window.h"

#include "base/buf.h"
#include "base/mem.h"
#include "core/err.h"
#include "core/heritage.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_PREFIX "/dev/shm/co-hostd."

static void link_of(struct buf *out, const char *co_dir)
{
	buf_printf(out, "%s/store/window", co_dir);
}

/*
 * Get the file to which the link leads. Returns false if it leads elsewhere:
 * then it was not made by us.
 */
static bool find_file(const char *co_dir, char path[PATH_MAX])
{
	struct buf link = {0};
	link_of(&link, co_dir);
	ssize_t n = readlink(buf_cstr(&link), path, PATH_MAX - 1);
	buf_fini(&link);
	if (n < 0)
		return false;
	path[n] = '\0';
	return strncmp(path, FILE_PREFIX, strlen(FILE_PREFIX)) == 0 &&
	       !strchr(path + strlen(FILE_PREFIX), '/');
}

/* Returns 0, or -1 with errno. */
static int replace_link(const char *co_dir, const char *path)
{
	struct buf link = {0}, temp = {0};
	link_of(&link, co_dir);
	buf_printf(&temp, "%s.new", buf_cstr(&link));
	(void)unlink(buf_cstr(&temp)); /* of a server that died here */
	int rc = symlink(path, buf_cstr(&temp));
	if (rc == 0)
		rc = rename(buf_cstr(&temp), buf_cstr(&link));
	buf_fini(&temp);
	buf_fini(&link);
	return rc;
}

static int fail(int fd, const char *path, int why, struct err *err)
{
	if (fd >= 0) {
		(void)unlink(path); /* nobody knows it yet */
		close(fd);
	}
	return err_set(err, ERR_STORE, "%s: %s", path, strerror(why));
}

int window_make(const char *co_dir, struct err *err)
{
	char path[] = FILE_PREFIX "XXXXXX", old[PATH_MAX];
	bool has_old = find_file(co_dir, old);
	int fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return fail(fd, path, errno, err);
	int why = posix_fallocate(fd, 0, (off_t)HERITAGE_WINDOW);
	if (why)
		return fail(fd, path, why, err);
	if (replace_link(co_dir, path) != 0)
		return fail(fd, path, errno, err);
	if (has_old)
		(void)unlink(old); /* it may be gone */
	return fd;
}

void window_remove(const char *co_dir)
{
	char path[PATH_MAX];
	struct buf link = {0};
	if (!find_file(co_dir, path))
		return;
	link_of(&link, co_dir);
	(void)unlink(path); /* both may be gone */
	(void)unlink(buf_cstr(&link));
	buf_fini(&link);
}

/* Returns the number of bytes read, or -1 with errno. */
static ssize_t read_all(int fd, char *out, size_t size)
{
	size_t len = 0;
	while (len < size) {
		ssize_t n = pread(fd, out + len, size - len, (off_t)len);
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

static int check(const struct heritage *h, ssize_t len, struct err *err)
{
	if (len < (ssize_t)offsetof(struct heritage, master_pid) ||
	    h->magic != HERITAGE_MAGIC)
		return err_set(err, ERR_STORE,
		    "the window into the server's memory is damaged");
	if (h->version != HERITAGE_VERSION)
		return err_set(err, ERR_STORE,
		    "the server that runs is of another version (%u, not %u): "
		    "use its own program",
		    h->version, HERITAGE_VERSION);
	if (len != (ssize_t)HERITAGE_WINDOW)
		return err_set(err, ERR_STORE,
		    "the window into the server's memory is damaged: it has "
		    "%zd bytes",
		    len);
	return 0;
}

struct heritage *window_read(const char *co_dir, struct err *err)
{
	char path[PATH_MAX];
	if (!find_file(co_dir, path)) {
		(void)err_set(err, ERR_NOT_FOUND,
		    "%s/store/window: there is no window into a server's "
		    "memory",
		    co_dir);
		return NULL;
	}
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		(void)err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_STORE,
		    "%s: %s", path, strerror(errno));
		return NULL;
	}
	/* The rest of it is never touched, and so needs no memory. */
	struct heritage *h = malloc(sizeof *h);
	ssize_t len = h ? read_all(fd, (char *)h, HERITAGE_WINDOW) : -1;
	close(fd);
	if (check(h, len, err) == 0)
		return h;
	free(h);
	return NULL;
}
