/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "main/project.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/conf.h"
#include "core/err.h"
#include "launch/place.h"
#include "launch/single.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* Cut the last part of an absolute path; returns false at the root. */
static bool go_up(char *path)
{
	char *slash = strrchr(path, '/');
	if (!slash || !path[1])
		return false;
	slash[slash == path ? 1 : 0] = '\0';
	return true;
}

/*
 * Go upwards from path, in place; returns false if there is no project on the
 * way.
 */
static bool walk_up(char *path, const char *home)
{
	char top[PATH_MAX];
	if (!home || !realpath(home, top))
		top[0] = '\0';
	do {
		bool is_home = strcmp(path, top) == 0;
		if (!is_home && has(path, ".co", true))
			return true;
		/* In a linked work tree .git is a file. */
		if (is_home || has(path, ".git", false))
			return false;
	} while (go_up(path));
	return false;
}

/* Like realpath(), but fails with ENOTDIR for anything but a folder. */
static bool resolve(const char *dir, char *path)
{
	struct stat st;
	if (!realpath(dir, path) || stat(path, &st) != 0)
		return false;
	errno = ENOTDIR;
	return S_ISDIR(st.st_mode);
}

char *project_find(const char *dir, const char *home, struct err *err)
{
	char start[PATH_MAX], path[PATH_MAX];
	if (!resolve(dir ? dir : ".", start)) {
		(void)err_set(err, ERR_CONFIG, "--dir %s: %s", dir ? dir : ".",
		    strerror(errno));
		return NULL;
	}
	memcpy(path, start, sizeof path);
	bool is_above = !dir && walk_up(path, home);
	return mem_strdup(is_above ? path : start);
}

/* ---- what is in it ---- */

void project_make(const struct conf *c, const struct passwd *user)
{
	static const char *const parts[] = {
	    "", "/logs", "/uploads", "/keys", "/store", "/evals"};
	/* Agents of another user cannot create it themselves. */
	size_t n = sizeof parts / sizeof *parts - (*c->agent_user ? 0 : 1);
	struct err err;
	for (size_t i = 0; i < n; i++) {
		struct buf path = {0};
		buf_printf(&path, "%s%s", c->co_dir, parts[i]);
		if (place_make_folder(buf_cstr(&path), user, &err) != 0)
			fatal("%s", err.text);
		buf_fini(&path);
	}
}

int project_lock(const struct conf *c, const struct passwd *user)
{
	struct buf path = {0};
	buf_printf(&path, "%s/store/lock", c->co_dir);
	int fd = single_lock(buf_cstr(&path), c->project_dir,
	    "serve another project directory (-d)", user);
	buf_fini(&path);
	return fd;
}
