/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "main/project.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/conf.h"
#include "core/err.h"
#include "launch/place.h"
#include "launch/user.h"
#include "proc/lockfile.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How long the processes of a dead server get to leave by themselves. */
#define LEAVE_MS 3000

/* How long they get to be gone after they were killed. */
#define GIVE_UP_MS 10000
#define LOOK_MS 50

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

/* ---- its lock ---- */

/* Whether the first process of the server that holds the lock is alive. */
static bool has_master(const struct lockfile_holder *h, unsigned n)
{
	return n && h[0].place == 0;
}

static void name_holders(
    struct buf *out, const struct lockfile_holder *h, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		buf_printf(
		    out, "%s%s %d", i ? ", " : "", h[i].kind, (int)h[i].pid);
}

/* A process that did not leave when its master died is frozen or hangs. */
static void kill_left(const struct lockfile_holder *h, unsigned n, uid_t uid)
{
	for (unsigned i = 0; i < n; i++)
		if (lockfile_kill(&h[i], uid))
			log_warn("%s %d of a dead server did not exit: killed",
			    h[i].kind, (int)h[i].pid);
		else if (errno != ESRCH)
			log_error("%s %d of a dead server cannot be killed: %s",
			    h[i].kind, (int)h[i].pid, strerror(errno));
}

/* Report it, and end the process. */
static void project_refuse(
    const struct conf *c, const struct lockfile_holder *h, unsigned n)
{
	struct buf names = {0};
	name_holders(&names, h, n);
	fatal("another co-hostd serves %s already: %s: stop it, or serve "
	      "another project directory (-d)",
	    c->project_dir,
	    n ? buf_cstr(&names) : "its processes are not known");
}

/* Wait until the processes of a dead server are gone. */
static void wait_for_lock(const struct conf *c, int fd, uid_t uid)
{
	static struct lockfile_holder h[LOCKFILE_PLACES];
	int64_t began = clock_steady_us();
	bool has_killed = false;
	while (lockfile_take(fd) != 0) {
		unsigned n = lockfile_holders(fd, h, LOCKFILE_PLACES);
		int64_t waited = (clock_steady_us() - began) / 1000;
		if (has_master(h, n) || waited > GIVE_UP_MS)
			project_refuse(c, h, n);
		if (!has_killed && waited > LEAVE_MS) {
			kill_left(h, n, uid);
			has_killed = true;
		}
		(void)poll(NULL, 0, LOOK_MS);
	}
}

int project_lock(const struct conf *c, const struct passwd *user)
{
	struct buf path = {0};
	buf_printf(&path, "%s/store/lock", c->co_dir);
	user_act_as(user);
	int fd = lockfile_open(buf_cstr(&path));
	if (fd < 0)
		fatal("%s: %s", buf_cstr(&path), strerror(errno));
	user_act_as_root(user);
	wait_for_lock(c, fd, user ? user->pw_uid : geteuid());
	if (!lockfile_sign(fd, 0, "master"))
		fatal("%s: %s", buf_cstr(&path), strerror(errno));
	buf_fini(&path);
	return fd;
}
