/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "launch/place.h"

#include "base/log.h"
#include "core/err.h"
#include "launch/user.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- whose it is ---- */

/* Get the folder part of an absolute or relative path. */
static bool folder_of(const char *path, char *out, size_t size)
{
	char here[PATH_MAX] = "";

	if (*path != '/' && !getcwd(here, sizeof here))
		return false;
	int n =
	    snprintf(out, size, "%s%s%s", here, *path == '/' ? "" : "/", path);
	if (n < 0 || (size_t)n >= size)
		return false;
	char *slash = strrchr(out, '/');
	slash[slash == out ? 1 : 0] = '\0';
	return true;
}

/* Whether only root may write to a folder, or change a link. */
static bool is_roots(const char *path)
{
	struct stat st;

	if (lstat(path, &st) != 0 || st.st_uid != 0)
		return false;
	return S_ISLNK(st.st_mode) ||
	       (S_ISDIR(st.st_mode) && !(st.st_mode & (S_IWGRP | S_IWOTH)));
}

/* The same for a folder and all above it. */
static bool are_roots(char *folder)
{
	for (char *end = folder; end; end = strchr(end + 1, '/')) {
		char was = end == folder ? folder[1] : '/';
		char *cut = end == folder ? folder + 1 : end;
		*cut = '\0';
		bool is_good = is_roots(folder);
		*cut = was;
		if (!is_good)
			return false;
	}
	return is_roots(folder);
}

bool place_is_roots(const char *path)
{
	char folder[PATH_MAX], real[PATH_MAX];

	return folder_of(path, folder, sizeof folder) &&
	       realpath(folder, real) && are_roots(folder) && are_roots(real);
}

bool place_is_users(const char *path, const struct passwd *user)
{
	char folder[PATH_MAX];

	if (!folder_of(path, folder, sizeof folder))
		return false;
	user_act_as(user);
	bool may = faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) == 0;
	user_act_as_root(user);
	return may;
}

/* ---- files ---- */

static int place_refuse(const char *what, const char *path,
    const struct passwd *user, struct err *err)
{
	return err_set(err, ERR_CONFIG,
	    "%s %s: user %s may not write there, and root does not do it for "
	    "him where others than root can change what the path leads to",
	    what, path, user->pw_name);
}

static int place_cannot(
    const char *what, const char *path, int why, struct err *err)
{
	return err_set(err, ERR_CONFIG, "%s %s: %s", what, path, strerror(why));
}

/*
 * Give a new file, or one of root's, to the user; never a terminal, for
 * instance.
 */
static void give(
    int fd, const char *what, const char *path, const struct passwd *user)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1 ||
	    fchown(fd, user->pw_uid, user->pw_gid) != 0)
		log_warn("%s %s remains owned by root", what, path);
}

int place_open(const char *what, const char *path, int flags, mode_t mode,
    const struct passwd *user, struct err *err)
{
	user_act_as(user);
	int fd = open(path, flags | O_CLOEXEC, mode);
	int why = errno;
	user_act_as_root(user);
	if (fd >= 0)
		return fd;
	if (!user || why != EACCES)
		return place_cannot(what, path, why, err);
	if (!place_is_roots(path))
		return place_refuse(what, path, user, err);
	fd = open(path, flags | O_CLOEXEC, mode);
	if (fd < 0)
		return place_cannot(what, path, errno, err);
	give(fd, what, path, user);
	return fd;
}

/* ---- folders ---- */

static int make_folder(const char *path, const struct passwd *user)
{
	user_act_as(user);
	int rc = mkdir(path, 0700);
	int why = rc == 0 ? 0 : errno;
	user_act_as_root(user);
	if (why == EACCES && place_is_roots(path))
		why = mkdir(path, 0700) == 0 ? 0 : errno;
	return why;
}

/* If there is a link on the way, give nothing: it may lead anywhere. */
static int give_folder(const char *path, const struct passwd *user)
{
	const struct open_how how = {
	    .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
	    .resolve = RESOLVE_NO_SYMLINKS,
	};
	struct stat st;
	int fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);

	if (fd < 0)
		return errno == ELOOP ? 0 : errno;
	int why = 0;
	if (fstat(fd, &st) != 0 ||
	    (st.st_uid == 0 && fchown(fd, user->pw_uid, user->pw_gid) != 0))
		why = errno;
	(void)close(fd); /* nothing was written */
	return why;
}

int place_make_folder(
    const char *path, const struct passwd *user, struct err *err)
{
	int why = make_folder(path, user);

	if (why != 0 && why != EEXIST)
		return place_cannot("cannot make", path, why, err);
	why = user ? give_folder(path, user) : 0;
	if (why != 0)
		return place_cannot("cannot give to its user", path, why, err);
	return 0;
}
