/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "identity/ident_file.h"

#include "base/buf.h"
#include "core/err.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

ssize_t ident_file_read(
    const char *path, void *out, size_t size, struct err *err)
{
	size_t len = 0;
	ssize_t n = 0;
	struct stat st;
	/* A FIFO without a writer would keep open() waiting. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return -1;
	if (fd >= 0 && fstat(fd, &st) == 0 && !S_ISREG(st.st_mode)) {
		close(fd);
		(void)err_set(err, ERR_CONFIG, "%s: not a regular file", path);
		return -2;
	}
	while (fd >= 0 && len < size &&
	       (n = read(fd, (char *)out + len, size - len)) > 0)
		len += (size_t)n;
	int why = errno;
	if (fd >= 0)
		close(fd);
	if (fd >= 0 && n >= 0)
		return (ssize_t)len;
	(void)err_set(err, ERR_CONFIG, "%s: %s", path, strerror(why));
	return -2;
}

/* A rename is durable once its folder is synced. */
static bool sync_folder_of(const char *path)
{
	struct buf dir = {0};
	const char *slash = strrchr(path, '/');
	buf_append(&dir, path, slash ? (size_t)(slash - path) + 1 : 0);
	buf_char(&dir, '.');
	int fd = open(buf_cstr(&dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool is_synced = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	buf_fini(&dir);
	return is_synced;
}

static bool give_name(const char *temp, const struct ident_file *file)
{
	if (!file->may_replace) {
		if (renameat2(AT_FDCWD, temp, AT_FDCWD, file->path,
			RENAME_NOREPLACE) == 0)
			return true;
		/* Not every file system supports this. */
		if (errno != EINVAL && errno != ENOSYS)
			return false;
	}
	return rename(temp, file->path) == 0;
}

int ident_file_write(
    const struct ident_file *file, const void *p, size_t n, struct err *err)
{
	struct buf temp = {0};
	buf_printf(&temp, "%s.%d", file->path, (int)getpid());
	const char *name = buf_cstr(&temp);
	(void)unlink(name); /* left by a killed process that had our pid */
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool ok = fd >= 0 && fchmod(fd, file->mode) == 0 &&
		  write(fd, p, n) == (ssize_t)n && fsync(fd) == 0 &&
		  give_name(name, file) && sync_folder_of(file->path);
	int why = errno;
	if (fd >= 0)
		close(fd);
	if (fd >= 0 && !ok)
		(void)unlink(name); /* half a key is of no use */
	buf_fini(&temp);
	return ok ? 0
		  : err_set(err, ERR_CONFIG, "cannot write %s: %s", file->path,
			strerror(why));
}
