/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "proc/lockfile.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/pidfd.h>
#include <unistd.h>

/* A signature is a line of exactly this many bytes, newline included. */
#define LINE_SIZE 48

static bool lockfile_read_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t n = read(fd, text, size - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	return n > 0;
}

/*
 * Returns when a process was started, in clock ticks since boot: field 22 of
 * stat(5). Zombies count as dead; 0 for them.
 */
static unsigned long long birth_of(pid_t pid)
{
	char path[64], text[1024], state;
	unsigned long long born;
	(void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	if (!lockfile_read_file(path, text, sizeof text))
		return 0;
	/* The name before it may contain spaces and brackets. */
	const char *end = strrchr(text, ')');
	if (!end ||
	    sscanf(end + 1,
		" %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d "
		"%*d %*d %*d %*d %llu",
		&state, &born) != 2)
		return 0;
	return state == 'Z' || state == 'X' ? 0 : born;
}

int lockfile_open(const char *path)
{
	return open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

int lockfile_take(int fd)
{
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		return -1;
	return ftruncate(fd, 0);
}

bool lockfile_is_held(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	/* Shared, and only for a moment: a server that starts tries again. */
	bool is_held =
	    flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
	close(fd);
	return is_held;
}

bool lockfile_sign(int fd, unsigned place, const char *kind)
{
	char line[LINE_SIZE + 1];
	(void)snprintf(line, sizeof line, "%-10.10s %10d %24llu\n", kind,
	    (int)getpid(), birth_of(getpid()));
	return pwrite(fd, line, LINE_SIZE, (off_t)place * LINE_SIZE) ==
	       LINE_SIZE;
}

static bool lockfile_read_line(
    int fd, unsigned place, struct lockfile_holder *h)
{
	char line[LINE_SIZE + 1];
	int pid;
	ssize_t n = pread(fd, line, LINE_SIZE, (off_t)place * LINE_SIZE);
	line[n > 0 ? n : 0] = 0;
	if (n != LINE_SIZE ||
	    sscanf(line, "%11s %d %llu", h->kind, &pid, &h->born) != 3)
		return false;
	h->place = place;
	h->pid = pid;
	return true;
}

static bool lockfile_is_alive(const struct lockfile_holder *h)
{
	return h->pid > 0 && h->born && birth_of(h->pid) == h->born;
}

unsigned lockfile_holders(
    int fd, struct lockfile_holder *holders, unsigned most)
{
	unsigned n = 0;
	for (unsigned i = 0; i < LOCKFILE_PLACES && n < most; i++)
		if (lockfile_read_line(fd, i, &holders[n]) &&
		    lockfile_is_alive(&holders[n]))
			n++;
	return n;
}

/* /proc/PID itself belongs to root if the process is not dumpable. */
static bool runs_as(pid_t pid, uid_t uid)
{
	char path[64], text[4096];
	unsigned real, effective;
	(void)snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	if (!lockfile_read_file(path, text, sizeof text))
		return false;
	const char *at = strstr(text, "\nUid:");
	return at && sscanf(at, "\nUid: %u %u", &real, &effective) == 2 &&
	       real == uid && effective == uid;
}

bool lockfile_kill(const struct lockfile_holder *h, uid_t uid)
{
	/*
	 * Take the pidfd before checking: later the pid may belong to another
	 * process.
	 */
	int fd = pidfd_open(h->pid, 0);
	if (fd < 0)
		return false;
	bool is_sent = false;
	if (!lockfile_is_alive(h))
		errno = ESRCH;
	else if (!runs_as(h->pid, uid))
		errno = EPERM;
	else
		is_sent = pidfd_send_signal(fd, SIGKILL, NULL, 0) == 0;
	int why = errno;
	close(fd);
	errno = why;
	return is_sent;
}
