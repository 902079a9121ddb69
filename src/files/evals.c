/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "files/evals.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/conf.h"
#include "core/err.h"
#include "core/pulse.h"
#include "core/yaml.h"
#include "files/eval_file.h"
#include "files/eval_text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEEP_RUNS 20
#define KEEP_EVALS 500

struct evals {
	char *dir;
	char *agent;
	char *cwd;
	char *model;
	int64_t second; /* the second in which n_turns counts */
	unsigned n_turns;
	bool is_told; /* a write error has been logged */
};

struct evals *evals_new(const struct conf *conf, const char *model)
{
	struct evals *e = mem_zero(sizeof *e);
	struct buf dir = {0};
	buf_printf(&dir, "%s/evals", conf->co_dir);
	e->dir = buf_steal(&dir, NULL);
	e->agent = mem_strdup(conf->agent);
	e->cwd = mem_strdup(conf->project_dir ? conf->project_dir : "");
	e->model = mem_strdup(model);
	return e;
}

void evals_free(struct evals **e)
{
	if (!*e)
		return;
	free((*e)->dir);
	free((*e)->agent);
	free((*e)->cwd);
	free((*e)->model);
	free(*e);
	*e = NULL;
}

static bool fits_rate(struct evals *e)
{
	int64_t second = clock_mono_ms() / 1000;
	if (second != e->second) {
		e->second = second;
		e->n_turns = 0;
	}
	return e->n_turns++ < EVALS_RATE;
}

/* ---- files ---- */

static int evals_failed(const char *what, const char *path, struct err *err)
{
	return err_set(
	    err, ERR_STORE, "%s %s: %s", what, path, strerror(errno));
}

static int evals_write_file(int fd, const struct buf *text)
{
	return write(fd, text->data, text->len) == (ssize_t)text->len ? 0 : -1;
}

/* A concurrent reader sees either the old file or the new one. */
static int evals_replace(
    const char *path, const struct buf *text, struct err *err)
{
	struct buf temp = {0};
	buf_printf(&temp, "%s.tmp", path);
	const char *name = buf_cstr(&temp);
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int rc = fd < 0 ? -1 : evals_write_file(fd, text);
	if (fd >= 0 && close(fd) != 0)
		rc = -1;
	if (rc == 0)
		rc = rename(name, path);
	if (rc != 0) {
		(void)evals_failed("cannot write", path, err);
		(void)unlink(name); /* it does not exist, or is useless */
	}
	buf_fini(&temp);
	return rc;
}

/*
 * Read a small file whole. Returns false if it is missing, too large or
 * unreadable.
 */
static bool evals_read_file(const char *path, struct buf *text)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool is_read = false;
	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (size_t)st.st_size <= YAML_MAX_SIZE) {
		size_t size = (size_t)st.st_size;
		ssize_t n = read(fd, buf_reserve(text, size + 1), size);
		is_read = n == st.st_size;
		text->len += is_read ? size : 0;
	}
	close(fd);
	return is_read;
}

/* An eval as JSON, read from its file. */
struct eval {
	struct buf yaml, text;
	struct json_doc doc;
	const struct json *root; /* NULL: none that can be read */
};

static void read_eval(struct eval *v, const char *path)
{
	struct json_error why;
	struct err err;
	*v = (struct eval){.root = NULL};
	if (evals_read_file(path, &v->yaml) &&
	    yaml_to_json(&v->text, v->yaml.data, v->yaml.len, path, &err) == 0)
		v->root =
		    json_parse(&v->doc, v->text.data, v->text.len, 0, &why);
	if (!json_is(v->root, JSON_OBJECT))
		v->root = NULL;
}

static void free_eval(struct eval *v)
{
	json_fini(&v->doc);
	buf_fini(&v->yaml);
	buf_fini(&v->text);
}

static void put_aside(const char *path)
{
	struct buf aside = {0};
	buf_printf(&aside, "%s.broken", path);
	if (rename(path, buf_cstr(&aside)) == 0)
		log_warn("evals: %s cannot be read; it is now %s", path,
		    buf_cstr(&aside));
	buf_fini(&aside);
}

/* ---- expiry ---- */

/* An eval's file, with the time of its last change. */
struct old_eval {
	struct timespec when;
	char *path;
};

static int by_age(const void *a, const void *b)
{
	const struct timespec *x = &((const struct old_eval *)a)->when;
	const struct timespec *y = &((const struct old_eval *)b)->when;
	if (x->tv_sec != y->tv_sec)
		return x->tv_sec < y->tv_sec ? -1 : 1;
	return x->tv_nsec < y->tv_nsec ? -1 : x->tv_nsec > y->tv_nsec;
}

static bool ends_with(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);
	return n > m && strcmp(name + n - m, end) == 0;
}

static void add_eval(struct buf *list, const char *dir, const char *name)
{
	struct buf path = {0};
	struct stat st;
	buf_printf(&path, "%s/%s", dir, name);
	if (ends_with(name, ".yaml") && stat(buf_cstr(&path), &st) == 0) {
		struct old_eval old = {st.st_mtim, buf_steal(&path, NULL)};
		buf_append(list, &old, sizeof old);
	}
	buf_fini(&path);
}

static struct buf list_evals(const char *dir)
{
	struct buf list = {0};
	struct dirent *entry;
	DIR *d = opendir(dir);
	while (d && (entry = readdir(d)))
		add_eval(&list, dir, entry->d_name);
	if (d)
		(void)closedir(d);
	if (list.len)
		qsort(list.data, list.len / sizeof(struct old_eval),
		    sizeof(struct old_eval), by_age);
	return list;
}

static void remove_runs(const char *folder)
{
	struct dirent *entry;
	DIR *d = opendir(folder);
	struct buf path = {0};
	while (d && (entry = readdir(d))) {
		pulse_step();
		buf_reset(&path);
		buf_printf(&path, "%s/%s", folder, entry->d_name);
		if (strncmp(entry->d_name, "run_", 4) == 0)
			(void)unlink(buf_cstr(&path)); /* on failure it stays */
	}
	if (d)
		(void)closedir(d);
	(void)rmdir(folder); /* fails if somebody keeps other files there */
	buf_fini(&path);
}

/* Remove an eval with its runs, unless a person wrote it. */
static bool remove_eval(char *path)
{
	struct eval v;
	read_eval(&v, path);
	bool is_removed = eval_file_is_generated(v.root) && unlink(path) == 0;
	free_eval(&v);
	if (is_removed) {
		path[strlen(path) - strlen(".yaml")] = 0;
		remove_runs(path);
	}
	return is_removed;
}

static void trim_evals(const char *dir)
{
	struct buf list = list_evals(dir);
	struct old_eval *old = (struct old_eval *)(void *)list.data;
	size_t n = list.len / sizeof *old;
	size_t excess = n > KEEP_EVALS ? n - KEEP_EVALS : 0;
	for (size_t i = 0; i < n; i++) {
		if (excess && remove_eval(old[i].path))
			excess--;
		free(old[i].path);
	}
	buf_fini(&list);
}

/* Run numbers are consecutive, so only one expires at a time. */
static void trim_runs(const char *folder, int64_t run)
{
	struct buf path = {0};
	buf_printf(
	    &path, "%s/run_%lld.yaml", folder, (long long)run - KEEP_RUNS);
	(void)unlink(buf_cstr(&path)); /* usually it does not exist */
	buf_fini(&path);
}

/* ---- a turn ---- */

static int make_dir(const char *path, struct err *err)
{
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return 0;
	return evals_failed("cannot make", path, err);
}

static int write_run(struct evals *e, const char *folder, int64_t run,
    const struct eval_turn *t, struct err *err)
{
	struct buf path = {0}, text = {0};
	if (make_dir(folder, err) != 0)
		return -1;
	buf_printf(&path, "%s/run_%lld.yaml", folder, (long long)run);
	eval_file_write_run(&text, t, e->agent, e->cwd);
	int rc = evals_replace(buf_cstr(&path), &text, err);
	trim_runs(folder, run);
	buf_fini(&path);
	buf_fini(&text);
	return rc;
}

static int write_eval(struct evals *e, const char *folder,
    const struct eval_turn *t, struct err *err)
{
	struct buf path = {0}, text = {0};
	struct eval before;
	int rc = 0;
	buf_printf(&path, "%s.yaml", folder);
	const char *file = buf_cstr(&path);
	bool is_there = access(file, F_OK) == 0;
	read_eval(&before, file);
	if (is_there && !before.root)
		put_aside(file);
	int64_t run = eval_file_write(&text, before.root, t);
	if (run)
		rc = write_run(e, folder, run, t, err);
	if (run && rc == 0)
		rc = evals_replace(file, &text, err);
	if (!is_there)
		trim_evals(e->dir);
	free_eval(&before);
	buf_fini(&text);
	buf_fini(&path);
	return rc;
}

static int add_turn(struct evals *e, const struct eval_turn *t, struct err *err)
{
	struct buf scratch = {0}, folder = {0};
	struct store_span first = eval_file_first(t, &scratch);
	int rc = 0;
	if (first.data) {
		buf_printf(&folder, "%s/", e->dir);
		eval_text_name(&folder, first.data, first.len);
		rc = make_dir(e->dir, err);
		if (rc == 0)
			rc = write_eval(e, buf_cstr(&folder), t, err);
	}
	buf_fini(&scratch);
	buf_fini(&folder);
	return rc;
}

void evals_turn(struct evals *e, const struct record *r, struct store_span talk)
{
	struct json_doc doc = {0};
	struct json_error why;
	struct err err;
	if (r->status != RECORD_DONE || !r->prompt.data || !fits_rate(e))
		return;
	struct eval_turn t = {.record = r, .model = e->model};
	if (talk.data)
		t.talk = json_parse(&doc, talk.data, talk.len, 0, &why);
	int rc = add_turn(e, &t, &err);
	json_fini(&doc);
	if (rc != 0 && !e->is_told)
		log_warn("evals: %s", err.text);
	e->is_told = rc != 0;
}
