/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "main/backup.h"

#include "core/conf.h"
#include "core/err.h"
#include "files/copy_tree.h"
#include "launch/options.h"
#include "launch/user.h"
#include "main/settings.h"
#include "store/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The store is copied by its own means. Logs are not needed to go on. */
static const char *const left_out[] = {"store", "logs", NULL};

static int cannot(const char *what, const char *path, struct err *err)
{
	return err_set(
	    err, ERR_STORE, "cannot %s %s: %s", what, path, strerror(errno));
}

/* ---- where it goes ---- */

static bool is_empty(DIR *dir)
{
	const struct dirent *d;
	while ((d = readdir(dir)) != NULL)
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			return false;
	return true;
}

static int check_empty(const char *path, struct err *err)
{
	DIR *dir = opendir(path);
	if (!dir)
		return cannot("open", path, err);
	bool empty = is_empty(dir);
	(void)closedir(dir); /* only read */
	if (empty)
		return 0;
	return err_set(err, ERR_STORE,
	    "%s is not empty: name a folder that is, or that is not there yet",
	    path);
}

/* A copy inside of what is copied would have no end. */
static int check_outside(const char *path, const char *co_dir, struct err *err)
{
	char there[PATH_MAX], here[PATH_MAX];
	if (!realpath(path, there) || !realpath(co_dir, here))
		return cannot("find", path, err);
	size_t n = strlen(here);
	if (strncmp(there, here, n) != 0 || (there[n] && there[n] != '/'))
		return 0;
	return err_set(err, ERR_STORE,
	    "%s is inside %s, which is copied: name another folder", path,
	    here);
}

/* Make the folder and go there. */
static int enter(const char *path, const char *co_dir, struct err *err)
{
	bool is_new = mkdir(path, 0700) == 0;
	if (!is_new && errno != EEXIST)
		return cannot("make", path, err);
	if (check_empty(path, err) != 0)
		return -1;
	if (check_outside(path, co_dir, err) == 0) {
		if (chdir(path) == 0)
			return 0;
		(void)cannot("open", path, err);
	}
	if (is_new)
		(void)rmdir(path); /* it is empty */
	return -1;
}

/* ---- the command ---- */

/*
 * As root, become the owner of the project before anything of it is read: then
 * it does not matter what that user has put there, and the files of the copy
 * can be put back as they are.
 */
static int become_owner(const struct stat *owner, struct err *err)
{
	if (geteuid() != 0 || owner->st_uid == 0)
		return 0;
	const struct passwd *user = getpwuid(owner->st_uid);
	if (chown(".", owner->st_uid, owner->st_gid) != 0)
		return cannot("give away", "the folder", err);
	if (!user)
		return err_set(err, ERR_STORE,
		    "the owner of .co, user %ld, is not known to this system",
		    (long)owner->st_uid);
	user_become(user, false);
	return 0;
}

/* Facts come first: they may name uploads, which are saved before them. */
static int copy_all(
    const struct conf *conf, struct copy_count *count, struct err *err)
{
	if (mkdir("store", 0700) != 0)
		return cannot("make", "store", err);
	if (store_backup(conf, "store", err) != 0)
		return -1;
	return copy_tree(conf->co_dir, ".", left_out, count, err);
}

static int make_backup(const char *path, const struct conf *conf,
    struct copy_count *count, struct err *err)
{
	struct stat owner;
	if (stat(conf->co_dir, &owner) != 0)
		return cannot("open", conf->co_dir, err);
	if (enter(path, conf->co_dir, err) != 0 ||
	    become_owner(&owner, err) != 0)
		return -1;
	return copy_all(conf, count, err);
}

static int run(const struct options *o, struct conf *conf, struct err *err)
{
	struct copy_count count = {0};
	const char *path = o->args[0];
	conf_init(conf);
	if (settings_init(o, "", err) != 0 || settings_read(conf, err) != 0 ||
	    make_backup(path, conf, &count, err) != 0)
		return -1;
	printf("co-hostd: %s has the store and %zu other files of %s\n", path,
	    count.files, conf->co_dir);
	return 0;
}

int backup_run(const struct options *o)
{
	struct conf conf;
	struct err err;
	if (o->n_args == 0)
		options_error("backup takes one folder", "none was given");
	if (o->n_args > 1)
		options_error("unexpected argument", o->args[1]);
	int rc = run(o, &conf, &err);
	conf_fini(&conf);
	if (rc != 0)
		(void)fprintf(stderr, "co-hostd: no backup: %s\n", err.text);
	return rc == 0 ? 0 : 1;
}
