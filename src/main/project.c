/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "main/project.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/conf.h"
#include "core/err.h"
#include "main/user.h"

/* ---- where it is ---- */

static bool has(const char *dir, const char *name, bool is_dir)
{
	struct buf path = {0};
	struct stat st;
	buf_printf(&path, "%s/%s", dir, name);
	bool is_there =
	    stat(buf_cstr(&path), &st) == 0 && (!is_dir || S_ISDIR(st.st_mode));
	buf_fini(&path);
	return is_there;
}

/* Cut the last part of an absolute path; false at the root. */
static bool go_up(char *path)
{
	char *slash = strrchr(path, '/');
	if (!slash || !path[1])
		return false;
	slash[slash == path ? 1 : 0] = '\0';
	return true;
}

/* From path upwards, in place; false if no folder on the way is a project. */
static bool walk_up(char *path, const char *home)
{
	char top[PATH_MAX];
	if (!home || !realpath(home, top))
		top[0] = '\0';
	do {
		bool is_home = strcmp(path, top) == 0;
		if (!is_home && has(path, ".co", true))
			return true;
		/* In a work tree .git is a file. */
		if (is_home || has(path, ".git", false))
			return false;
	} while (go_up(path));
	return false;
}

char *project_find(const char *dir, const char *home, struct err *err)
{
	char start[PATH_MAX], path[PATH_MAX];
	if (!realpath(dir ? dir : ".", start)) {
		(void)err_set(err, ERR_CONFIG, "--dir %s: %s", dir ? dir : ".",
		    strerror(errno));
		return NULL;
	}
	memcpy(path, start, sizeof path);
	bool is_above = !dir && walk_up(path, home);
	return mem_strdup(is_above ? path : start);
}

/* ---- what is in it ---- */

static void make_dir(const char *path, const struct passwd *user)
{
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		fatal("cannot make %s: %s", path, strerror(errno));
	/* Not where a link leads: it may lead out of the project. */
	if (user && lchown(path, user->pw_uid, user->pw_gid) != 0)
		fatal("cannot give %s to its user: %s", path, strerror(errno));
}

void project_make(const struct conf *c, const struct passwd *user)
{
	static const char *const parts[] = {
	    "", "/logs", "/uploads", "/keys", "/store"};
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		struct buf path = {0};
		buf_printf(&path, "%s%s", c->co_dir, parts[i]);
		make_dir(buf_cstr(&path), user);
		buf_fini(&path);
	}
}

void project_lock(const struct conf *c, const struct passwd *user)
{
	struct buf path = {0};
	buf_printf(&path, "%s/store/lock", c->co_dir);
	user_act_as(user);
	/* Never closed: the lock is held for life. */
	int fd = open(buf_cstr(&path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		fatal("%s: %s", buf_cstr(&path), strerror(errno));
	user_act_as_root(user);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		fatal("another co-hostd serves %s already", c->project_dir);
	buf_fini(&path);
}
