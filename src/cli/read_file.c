/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "cli/read_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How much is asked for at once. */
#define PIECE ((size_t)64 << 10)

static int open_file(const char *path, int flags)
{
	return strcmp(path, "-") == 0
		   ? dup(STDIN_FILENO)
		   : open(path, O_RDONLY | O_CLOEXEC | flags);
}

/* Read all of fd (< 0: see errno), which is closed. */
static bool read_all(int fd, const char *path, size_t max, struct buf *out,
    char *why, size_t size)
{
	size_t before = out->len;
	ssize_t n = fd < 0 ? -1 : 1;

	while (n > 0 && out->len - before <= max) {
		n = read(fd, buf_reserve(out, PIECE), PIECE);
		if (n > 0)
			out->len += (size_t)n;
		else if (n < 0 && errno == EINTR)
			n = 1;
	}
	int error = errno;
	if (fd >= 0)
		(void)close(fd); /* it was only read */
	if (n < 0)
		(void)snprintf(
		    why, size, "cannot read %s: %s", path, strerror(error));
	else if (out->len - before > max)
		(void)snprintf(
		    why, size, "%s has more than %zu MiB", path, max >> 20);
	else
		return true;
	return false;
}

bool read_file(
    const char *path, size_t max, struct buf *out, char *why, size_t size)
{
	return read_all(open_file(path, 0), path, max, out, why, size);
}

bool read_key_file(
    const char *path, size_t max, struct buf *out, char *why, size_t size)
{
	struct stat st;
	/* A FIFO without a writer would keep open() waiting. */
	int fd = open_file(path, O_NONBLOCK);

	if (fd >= 0 && strcmp(path, "-") != 0 && fstat(fd, &st) == 0 &&
	    !S_ISREG(st.st_mode)) {
		(void)close(fd);
		(void)snprintf(why, size,
		    "%s is not a regular file (\"-\" reads the key from the "
		    "standard input)",
		    path);
		return false;
	}
	return read_all(fd, path, max, out, why, size);
}
