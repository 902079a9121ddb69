/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "main/show_conf.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/write_all.h"
#include "core/conf.h"
#include "core/conf_show.h"
#include "core/err.h"
#include "launch/options.h"
#include "main/inside.h"
#include "main/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- what the server leaves ---- */

static void path_of(struct buf *out, const struct conf *c)
{
	buf_printf(out, "%s/store/settings", c->co_dir);
}

/* A file appears complete. Returns 0, or -1 with errno. */
static int write_file(const struct conf *c, const char *path)
{
	struct buf temp = {0};
	buf_printf(&temp, "%s.new", path);
	int fd = open(buf_cstr(&temp),
	    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	int rc = fd < 0 ? -1 : conf_save(c, fd);
	if (fd >= 0)
		close(fd);
	if (rc == 0)
		rc = rename(buf_cstr(&temp), path);
	buf_fini(&temp);
	return rc;
}

void show_conf_note(const struct conf *c)
{
	struct buf path = {0};
	path_of(&path, c);
	if (write_file(c, buf_cstr(&path)) != 0)
		log_warn("co-hostd conf --diff will not work: %s: %s",
		    buf_cstr(&path), strerror(errno));
	buf_fini(&path);
}

void show_conf_forget(const struct conf *c)
{
	struct buf path = {0};
	path_of(&path, c);
	(void)unlink(buf_cstr(&path)); /* it may not exist */
	buf_fini(&path);
}

/* Returns false, after saying why, if no server has left its settings. */
static bool load_running(struct conf *runs, const struct conf *now)
{
	struct buf path = {0};
	struct err err;
	path_of(&path, now);
	int fd = open(buf_cstr(&path), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		err_set(&err, ERR_CONFIG, "%s: %s", buf_cstr(&path),
		    errno == ENOENT ? "no server runs" : strerror(errno));
	bool is_loaded = fd >= 0 && conf_load(runs, fd, &err) == 0;
	if (fd >= 0)
		close(fd);
	if (!is_loaded)
		(void)fprintf(stderr, "co-hostd: %s\n", err.text);
	buf_fini(&path);
	return is_loaded;
}

/* ---- the command ---- */

static int put_difference(struct buf *out, const struct conf *now)
{
	struct conf runs;
	int status = INSIDE_NOT_RUNNING;
	conf_init(&runs);
	if (load_running(&runs, now))
		status = conf_show_difference(out, &runs, now) ? INSIDE_DEGRADED
							       : INSIDE_WELL;
	conf_fini(&runs);
	return status;
}

static int put_settings(
    struct buf *out, const struct options *o, const struct conf *c)
{
	if (o->wants_difference)
		return put_difference(out, c);
	if (o->wants_json) {
		conf_show_json(out, c);
		buf_char(out, '\n');
		return INSIDE_WELL;
	}
	buf_printf(out, "# %s%s\n", *c->host_yaml ? "" : "without a ",
	    *c->host_yaml ? c->host_yaml : "host.yaml");
	conf_show_yaml(out, c, true);
	return INSIDE_WELL;
}

int show_conf_run(const struct options *o)
{
	struct conf c;
	struct err err;
	struct buf out = {0};
	int status = INSIDE_UNKNOWN;
	if (o->n_args)
		options_error("unexpected argument", o->args[0]);
	conf_init(&c);
	if (settings_init(o, "", &err) == 0 && settings_read(&c, &err) == 0)
		status = put_settings(&out, o, &c);
	else
		(void)fprintf(stderr, "co-hostd: %s\n", err.text);
	if (!write_all(STDOUT_FILENO, out.data, out.len))
		status = INSIDE_UNKNOWN;
	buf_fini(&out);
	conf_fini(&c);
	return status;
}
