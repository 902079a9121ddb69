/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "wrapper/workdir.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PID_FILE ".onsembl-agent.pid"
#define STATUS_FILE ".onsembl-agent.status"
#define LOG_FILE ".onsembl-agent.log"

/* How often workdir_wait() looks. */
#define LOOK_MS 20

static struct {
	int fd; /* of the pid file, locked; -1: none */
	char *pid_path;
	char *status_path;
	struct buf status; /* the last one */
} held = {.fd = -1};

static char *path_of(const char *dir, const char *name)
{
	struct buf path = {0};

	buf_printf(&path, "%s/%s", dir, name);
	return buf_steal(&path, NULL);
}

/* ---- the lock ---- */

/* Whether the file that is open is still the one at this path. */
static bool is_current(int fd, const char *path)
{
	struct stat ours, there;

	return fstat(fd, &ours) == 0 && lstat(path, &there) == 0 &&
	       ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
}

static pid_t read_pid(int fd)
{
	char text[32] = "";
	ssize_t n = pread(fd, text, sizeof text - 1, 0);

	return n > 0 ? (pid_t)strtol(text, NULL, 10) : 0;
}

/* Returns the file, locked; -1 with *other as the holder's pid, or -1. */
static int lock_file(const char *path, pid_t *other)
{
	for (;;) {
		int fd =
		    open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
		*other = -1;
		if (fd < 0)
			return -1;
		if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
			int problem = errno;
			*other = problem == EWOULDBLOCK ? read_pid(fd) : -1;
			(void)close(fd);
			errno = problem;
			return -1;
		}
		/* The last holder may have removed it meanwhile. */
		if (is_current(fd, path))
			return fd;
		(void)close(fd);
	}
}

pid_t workdir_take(const char *dir, char *why, size_t size)
{
	pid_t other;

	held.pid_path = path_of(dir, PID_FILE);
	held.status_path = path_of(dir, STATUS_FILE);
	held.fd = lock_file(held.pid_path, &other);
	if (held.fd >= 0)
		return 0;
	(void)snprintf(
	    why, size, "cannot use %s: %s", held.pid_path, strerror(errno));
	return other;
}

bool workdir_sign(char *why, size_t size)
{
	char text[32];
	int n = snprintf(text, sizeof text, "%d\n", (int)getpid());

	if (ftruncate(held.fd, 0) == 0 &&
	    pwrite(held.fd, text, (size_t)n, 0) == n)
		return true;
	(void)snprintf(
	    why, size, "cannot write %s: %s", held.pid_path, strerror(errno));
	return false;
}

void workdir_leave(void)
{
	if (held.fd < 0)
		return;
	if (is_current(held.fd, held.pid_path)) {
		(void)unlink(held.status_path);
		(void)unlink(held.pid_path); /* before others can lock it */
	}
	(void)close(held.fd);
	buf_fini(&held.status);
	held.fd = -1;
	free(held.pid_path);
	free(held.status_path);
}

/* ---- the status ---- */

static void put_member(struct buf *out, const char *name, const char *value)
{
	buf_printf(out, ",\n  \"%s\": ", name);
	buf_json_str(out, value);
}

static void put_status(struct buf *out, const struct workdir_status *s)
{
	char time_text[64];
	int64_t now_ms = clock_wall_ms();
	time_t now = (time_t)(now_ms / 1000);
	struct tm tm;

	(void)gmtime_r(&now, &tm);
	(void)strftime(time_text, sizeof time_text, "%Y-%m-%dT%H:%M:%S", &tm);
	buf_str(out, "{\n  \"status\": \"running\"");
	buf_printf(out, ",\n  \"timestamp\": \"%s.%03dZ\"", time_text,
	    (int)(now_ms % 1000));
	put_member(out, "agentId", s->agent_id);
	put_member(
	    out, "agentName", s->agent_name ? s->agent_name : WORKDIR_NO_NAME);
	put_member(out, "agentType", s->agent_type);
	buf_printf(out, ",\n  \"pid\": %d", (int)getpid());
	put_member(out, "mode", s->mode);
	put_member(out, "connection", s->connection);
	put_member(out, "server", s->server);
	buf_str(out, "\n}\n");
}

/* A reader finds the old status or the new one, and never a part. */
static bool replace(const char *path, const struct buf *text)
{
	struct buf temporary = {0};

	buf_printf(&temporary, "%s.new", path);
	const char *to = buf_cstr(&temporary);
	int fd = open(
	    to, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	bool is_written =
	    fd >= 0 && write(fd, text->data, text->len) == (ssize_t)text->len;

	if (fd >= 0)
		(void)close(fd);
	is_written = is_written && rename(to, path) == 0;
	int problem = errno;
	if (!is_written && fd >= 0)
		(void)unlink(to);
	buf_fini(&temporary);
	errno = problem;
	return is_written;
}

static void write_status(void)
{
	if (!replace(held.status_path, &held.status))
		log_warn("workdir: cannot write %s: %s", held.status_path,
		    strerror(errno));
}

void workdir_tell(const struct workdir_status *status)
{
	if (held.fd < 0)
		return;
	buf_reset(&held.status);
	put_status(&held.status, status);
	if (is_current(held.fd, held.pid_path))
		write_status();
}

void workdir_keep(void)
{
	char why[512] = "another wrapper runs in this directory";
	pid_t other;

	if (held.fd < 0 || is_current(held.fd, held.pid_path))
		return;
	(void)log_reopen(); /* the log may be gone as well */
	int fd = lock_file(held.pid_path, &other);
	if (fd < 0) {
		log_warn("workdir: %s was removed: %s", held.pid_path,
		    other > 0 ? why : strerror(errno));
		return;
	}
	(void)close(held.fd);
	held.fd = fd;
	if (!workdir_sign(why, sizeof why))
		log_warn("workdir: %s", why);
	write_status();
}

/* ---- others ---- */

pid_t workdir_find(const char *dir)
{
	char *path = path_of(dir, PID_FILE);
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	pid_t pid = 0;

	free(path);
	if (fd < 0)
		return 0;
	if (flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK)
		pid = read_pid(fd);
	(void)close(fd);
	return pid > 0 ? pid : 0;
}

pid_t workdir_stop(const char *dir)
{
	pid_t pid = workdir_find(dir);
	int fd = pid ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;

	/* The process that is open now still holds the lock. */
	if (fd >= 0 && workdir_find(dir) == pid)
		(void)syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0);
	else
		pid = 0;
	if (fd >= 0)
		(void)close(fd);
	return pid;
}

bool workdir_wait(const char *dir, int limit_ms)
{
	int64_t until_ms = clock_mono_ms() + limit_ms;

	while (workdir_find(dir)) {
		if (clock_mono_ms() >= until_ms)
			return false;
		(void)poll(NULL, 0, LOOK_MS);
	}
	return true;
}

bool workdir_show(const char *dir)
{
	char *path = path_of(dir, STATUS_FILE);
	char text[4096];
	FILE *f = fopen(path, "re");
	size_t n;

	free(path);
	if (!f)
		return false;
	while ((n = fread(text, 1, sizeof text, f)) > 0)
		(void)fwrite(text, 1, n, stdout);
	(void)fclose(f);
	return true;
}

char *workdir_status_path(const char *dir)
{
	return path_of(dir, STATUS_FILE);
}

char *workdir_log(const char *dir)
{
	return path_of(dir, LOG_FILE);
}
