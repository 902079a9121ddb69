/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "wrapper/tail.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How often a file that is followed is looked at. */
#define LOOK_MS 100

/* Returns where the last lines begin. */
static off_t find_start(int fd, off_t end, int64_t lines)
{
	char block[4096];
	int64_t n_newlines = 0;
	off_t at = end;

	while (at > 0) {
		off_t from =
		    at > (off_t)sizeof block ? at - (off_t)sizeof block : 0;
		ssize_t n = pread(fd, block, (size_t)(at - from), from);
		if (n <= 0)
			return 0;
		for (ssize_t i = n; i > 0; i--)
			/* The newline of the last line does not count. */
			if (block[i - 1] == '\n' && from + i != end &&
			    ++n_newlines == lines)
				return from + i;
		at = from;
	}
	return lines ? 0 : end;
}

/* Copy what there is from 'at' on. Returns the new place, or -1. */
static off_t copy(int fd, off_t at)
{
	char block[4096];
	ssize_t n;

	while ((n = pread(fd, block, sizeof block, at)) > 0) {
		if (fwrite(block, 1, (size_t)n, stdout) != (size_t)n)
			return -1;
		at += n;
	}
	return fflush(stdout) == 0 ? at : -1;
}

static bool is_replaced(int fd, const char *path)
{
	struct stat ours, there;

	return fstat(fd, &ours) == 0 && stat(path, &there) == 0 &&
	       (ours.st_ino != there.st_ino || ours.st_dev != there.st_dev);
}

/* Returns when nobody reads any more. */
static void follow(int fd, const char *path, off_t at)
{
	while (at >= 0) {
		struct pollfd out = {.fd = STDOUT_FILENO};

		if (poll(&out, 1, LOOK_MS) > 0 && (out.revents & POLLERR))
			break;
		at = copy(fd, at);
		if (at < 0 || !is_replaced(fd, path))
			continue;
		(void)close(fd);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		at = 0;
	}
	if (fd >= 0)
		(void)close(fd);
}

bool tail(
    const char *path, int64_t lines, bool is_following, char *why, size_t size)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) != 0) {
		(void)snprintf(
		    why, size, "cannot read %s: %s", path, strerror(errno));
		return false;
	}
	off_t at =
	    copy(fd, lines ? find_start(fd, st.st_size, lines) : st.st_size);
	if (is_following)
		follow(fd, path, at);
	else
		(void)close(fd);
	return true;
}
