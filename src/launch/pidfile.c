/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "launch/pidfile.h"

#include "base/log.h"
#include "core/err.h"
#include "launch/place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define OLD ".oldbin"

static int pid_fd = -1;
static const char *pid_path;
static char old_path[PATH_MAX + sizeof OLD]; /* "": it is not aside */
static bool is_written;

void pidfile_open(const char *path, const struct passwd *user)
{
	pid_path = path;
	struct err err;
	pid_fd =
	    place_open("pid file", path, O_RDWR | O_CREAT, 0644, user, &err);
	if (pid_fd < 0)
		fatal("%s", err.text);
	if (flock(pid_fd, LOCK_EX | LOCK_NB) != 0)
		fatal("pid file %s: another server holds it", path);
}

void pidfile_adopt(const char *path, int fd)
{
	pid_path = path;
	pid_fd = fd;
}

void pidfile_write(void)
{
	if (pid_fd < 0)
		return;
	is_written = true;
	if (lseek(pid_fd, 0, SEEK_SET) != 0 || ftruncate(pid_fd, 0) != 0 ||
	    dprintf(pid_fd, "%d\n", (int)getpid()) < 0)
		fatal("pid file %s: %s", pid_path, strerror(errno));
}

int pidfile_put_aside(void)
{
	if (pid_fd < 0)
		return -1;
	(void)snprintf(old_path, sizeof old_path, "%s" OLD, pid_path);
	if (rename(pid_path, old_path) == 0)
		return -1;
	*old_path = 0;
	return pid_fd;
}

void pidfile_put_back(void)
{
	if (*old_path && rename(old_path, pid_path) != 0)
		log_warn("pid file %s: %s", old_path, strerror(errno));
	*old_path = 0;
	if (pid_fd >= 0)
		pidfile_write();
}

void pidfile_give_up(void)
{
	if (!*old_path)
		is_written = false;
}

/*
 * Only root may be able to remove it, and we no longer are: empty it instead.
 */
void pidfile_remove(void)
{
	const char *path = *old_path ? old_path : pid_path;
	if (is_written && unlink(path) != 0 && ftruncate(pid_fd, 0) != 0)
		log_warn("pid file %s: %s", path, strerror(errno));
}
