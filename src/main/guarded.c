/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "main/guarded.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/write_all.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIECE ((size_t)65536)

static void run_child(int fd, guarded_fn *fn, void *arg)
{
	struct buf out = {0};
	int status = fn(arg, &out);
	(void)fflush(stderr);
	if (!write_all(fd, out.data, out.len))
		status = 255;
	_exit(status);
}

/* Returns whether the end came in time. */
static bool read_all(int fd, int64_t until_us, struct buf *out)
{
	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t left_us = until_us - clock_steady_us();
		if (left_us <= 0)
			return false;
		if (poll(&p, 1, (int)(left_us / 1000) + 1) <= 0)
			continue;
		ssize_t n = read(fd, buf_reserve(out, PIECE), PIECE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0;
		out->len += (size_t)n;
	}
}

int guarded_run(guarded_fn *fn, void *arg, int64_t limit_ms, struct buf *out)
{
	int ends[2], status;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	pid_t pid = fork();
	if (pid == 0)
		run_child(ends[1], fn, arg);
	close(ends[1]);
	bool is_whole =
	    pid > 0 &&
	    read_all(ends[0], clock_steady_us() + limit_ms * 1000, out);
	close(ends[0]);
	if (pid < 0)
		return -1;
	if (!is_whole)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return is_whole && WIFEXITED(status) && WEXITSTATUS(status) != 255
		   ? WEXITSTATUS(status)
		   : -1;
}
