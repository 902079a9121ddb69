/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agent/inquiry.h"

#include "base/clock.h"
#include "core/err.h"
#include "runner/source.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* How much of each output is kept. */
#define SAID_MAX (4u << 20)
#define COMPLAINTS_MAX (64u << 10)
#define REPORT_MAX 128

/*
 * Killing its tree takes almost no time; a process stuck in the kernel is
 * abandoned.
 */
#define KILL_MS 10000

/* Our ends of the process's outputs and of its control socket. */
enum {
	SAID = INQUIRY_SAID,
	COMPLAINTS = INQUIRY_COMPLAINTS,
	CONTROL = INQUIRY_REPORT,
	ENDS = INQUIRY_ENDS,
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd); /* read, or written at once */
	*fd = -1;
}

/*
 * Open one channel per output and the control socket, with an end for each
 * side.
 */
static bool open_channels(int *ours, int *theirs)
{
	int pair[2];

	theirs[SOURCE_IN] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (theirs[SOURCE_IN] < 0)
		return false;
	for (int i = 0; i < 2; i++) {
		if (pipe2(pair, O_CLOEXEC) != 0)
			return false;
		ours[i] = pair[0];
		theirs[i == SAID ? SOURCE_OUT : SOURCE_ERR] = pair[1];
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return false;
	ours[CONTROL] = pair[0];
	theirs[SOURCE_CONTROL] = pair[1];
	return true;
}

/* Keep the newest output: a traceback ends with the important part. */
static void hear(struct inquiry *q, int i)
{
	static const size_t max[ENDS] = {SAID_MAX, COMPLAINTS_MAX, REPORT_MAX};
	char bytes[16384];
	ssize_t n = read(q->fds[i], bytes, sizeof bytes);

	if (n < 0 && errno == EINTR)
		return;
	if (n <= 0) {
		close_fd(&q->fds[i]);
		return;
	}
	buf_append(&q->heard[i], bytes, (size_t)n);
	if (q->heard[i].len > max[i])
		buf_consume(&q->heard[i], q->heard[i].len - max[i]);
}

/* The control socket is closed last, when no process is left. */
static void listen_until(struct inquiry *q, int64_t until_ms)
{
	while (q->fds[CONTROL] >= 0) {
		int64_t left = until_ms - clock_mono_ms();
		struct pollfd p[ENDS];
		if (left <= 0)
			return;
		for (int i = 0; i < ENDS; i++)
			p[i] =
			    (struct pollfd){.fd = q->fds[i], .events = POLLIN};
		if (poll(p, ENDS, (int)left) <= 0)
			continue;
		for (int i = 0; i < ENDS; i++)
			if (p[i].revents)
				hear(q, i);
	}
}

/* Read what is left in a pipe after its writers have gone. */
static void drain(struct inquiry *q, int i)
{
	struct pollfd p = {.fd = q->fds[i], .events = POLLIN};

	while (q->fds[i] >= 0 && poll(&p, 1, 0) > 0)
		hear(q, i);
}

static void listen_to(struct inquiry *q, int64_t timeout_ms)
{
	listen_until(q, clock_mono_ms() + timeout_ms);
	q->is_late = q->fds[CONTROL] >= 0;
	if (q->is_late) {
		(void)!write(q->fds[CONTROL], "k", 1); /* or it has gone */
		listen_until(q, clock_mono_ms() + KILL_MS);
	}
	drain(q, SAID);
	drain(q, COMPLAINTS);
}

static pid_t start(struct inquiry *q, struct source *source, struct err *err)
{
	int theirs[SOURCE_FDS] = {-1, -1, -1, -1};
	pid_t pid = -1;

	if (open_channels(q->fds, theirs))
		pid = source->start(source, theirs, err);
	else
		(void)err_set(
		    err, ERR_CONFIG, "cannot open a pipe: %s", strerror(errno));
	for (int i = 0; i < SOURCE_FDS; i++)
		close_fd(&theirs[i]);
	return pid;
}

int inquiry_run(struct inquiry *q, struct source *source, int64_t timeout_ms,
    struct err *err)
{
	*q = (struct inquiry){.fds = {-1, -1, -1}};
	pid_t pid = start(q, source, err);

	if (pid < 0)
		return -1;
	listen_to(q, timeout_ms);
	close_fd(&q->fds[CONTROL]);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return 0;
}

void inquiry_fini(struct inquiry *q)
{
	for (int i = 0; i < ENDS; i++) {
		close_fd(&q->fds[i]);
		buf_fini(&q->heard[i]);
	}
}
