/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "main/export.h"

#include "base/buf.h"
#include "core/conf.h"
#include "core/err.h"
#include "files/exchange.h"
#include "files/results.h"
#include "launch/options.h"
#include "launch/user.h"
#include "main/project.h"
#include "main/settings.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int export_failed(const struct err *err)
{
	(void)fprintf(stderr, "co-hostd: %s\n", err->text);
	return 1;
}

static int read_settings(
    const struct options *o, struct conf *conf, struct err *err)
{
	conf_init(conf);
	if (settings_init(o, "", err) != 0)
		return -1;
	return settings_read(conf, err);
}

/* ---- export ---- */

static int cannot_write(const char *path, struct err *err)
{
	return err_set(
	    err, ERR_STORE, "cannot write %s: %s", path, strerror(errno));
}

static int export_to(struct store *store, const char *path, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return cannot_write(path, err);
	int rc = exchange_export(store, fd, err);
	if (rc == 0 && fsync(fd) != 0 && errno != EINVAL)
		rc = cannot_write(path, err);
	if (close(fd) != 0 && rc == 0)
		rc = cannot_write(path, err);
	return rc;
}

/* Write a temporary file and rename it, so that the file appears complete. */
static int export_file(struct store *store, const char *path, struct err *err)
{
	struct buf temp = {0};
	buf_printf(&temp, "%s.new", path);
	int rc = export_to(store, buf_cstr(&temp), err);
	if (rc == 0 && rename(buf_cstr(&temp), path) != 0)
		rc = cannot_write(path, err);
	if (rc != 0)
		(void)unlink(buf_cstr(&temp)); /* most likely it is ours */
	buf_fini(&temp);
	return rc;
}

static int export_store(
    const struct options *o, const struct conf *conf, struct err *err)
{
	struct store *store = store_open(conf, false, err);
	if (!store)
		return -1;
	int rc = o->n_args ? export_file(store, o->args[0], err)
			   : exchange_export(store, STDOUT_FILENO, err);
	store_close(&store);
	return rc;
}

int export_run(const struct options *o)
{
	struct conf conf;
	struct err err;
	if (o->n_args > 1)
		options_error("unexpected argument", o->args[1]);
	int rc = read_settings(o, &conf, &err);
	if (rc == 0)
		rc = export_store(o, &conf, &err);
	conf_fini(&conf);
	return rc == 0 ? 0 : export_failed(&err);
}

/* ---- import ---- */

static void tell_left(void *arg, size_t line, const char *why)
{
	(void)arg;
	(void)fprintf(
	    stderr, "co-hostd: line %zu is left out: %s\n", line, why);
}

static int import_file(const char *path, struct store *store,
    const struct conf *conf, struct exchange_count *n, struct err *err)
{
	struct results *file = results_new(path);
	int rc = results_open(file, err);
	if (rc == 0)
		rc = exchange_import(
		    store, file, conf->result_ttl * 1000, tell_left, n, err);
	results_free(&file);
	return rc;
}

static int import_store(
    const char *path, const struct conf *conf, struct err *err)
{
	struct exchange_count n = {0};
	const struct passwd *user = user_find(conf->user);
	project_make(conf, user);
	(void)project_lock(conf, user); /* held until exit */
	user_become(user, false);
	struct store *store = store_open(conf, true, err);
	if (!store)
		return -1;
	int rc = import_file(path, store, conf, &n, err);
	store_close(&store);
	if (rc != 0)
		return rc;
	printf("%zu sessions added, %zu kept as they were, %zu expired\n",
	    n.added, n.kept, n.expired);
	if (!n.left)
		return 0;
	return err_set(err, ERR_BAD_REQUEST,
	    "%s: %zu lines were left out, all others are imported", path,
	    n.left);
}

int export_run_import(const struct options *o)
{
	struct conf conf;
	struct err err;
	if (o->n_args > 1)
		options_error("unexpected argument", o->args[1]);
	if (o->n_args == 0)
		options_error("import takes one file", "none was given");
	int rc = read_settings(o, &conf, &err);
	if (rc == 0)
		rc = import_store(o->args[0], &conf, &err);
	conf_fini(&conf);
	return rc == 0 ? 0 : export_failed(&err);
}
