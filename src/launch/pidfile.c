/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "launch/pidfile.h"

#include "base/log.h"
#include "core/err.h"
#include "launch/place.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static int pid_fd = -1;
static const char *pid_path;

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

void pidfile_write(void)
{
	if (pid_fd < 0)
		return;
	if (ftruncate(pid_fd, 0) != 0 ||
	    dprintf(pid_fd, "%d\n", (int)getpid()) < 0)
		fatal("pid file %s: %s", pid_path, strerror(errno));
}

/*
 * Only root may be able to remove it, and we no longer are: empty it instead.
 */
void pidfile_remove(void)
{
	if (pid_fd >= 0 && unlink(pid_path) != 0 && ftruncate(pid_fd, 0) != 0)
		log_warn("pid file %s: %s", pid_path, strerror(errno));
}
