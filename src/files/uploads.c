/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "files/uploads.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/enc.h"
#include "base/file_mode.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/write_all.h"
#include "core/agent.h"
#include "core/conf.h"
#include "core/err.h"
#include "core/stat.h"
#include "files/upload.h"
#include "proc/crew.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * How long a measured directory size is used; other processes write there too.
 */
#define TOTAL_GOOD_FOR_MS 10000

#define MIB 1048576

/* When to retry if too many jobs wait. */
#define RETRY_MS 1000

struct incoming {
	char *name;
	size_t name_len;
	char *base64;
	size_t base64_len;
};

struct job {
	struct crew_job job;
	struct uploads *uploads;
	size_t n;
	struct incoming *in;
	uploads_done_fn *done;
	void *arg;
	/* Filled in by the thread. */
	struct agent_file *out;
	size_t n_out;
	bool has_failed;
	struct err err;
};

struct uploads {
	char *dir;
	const struct conf *conf;
	struct crew *crew; /* one thread: one job at a time */
	/* Used only by the thread. */
	int64_t total_bytes;
	int64_t measured_ms; /* 0: not yet */
};

static void free_incoming(struct incoming *in)
{
	free(in->name);
	free(in->base64);
	*in = (struct incoming){0};
}

static void free_file(const struct agent_file *file)
{
	/* The strings are ours; agents get them as constant. */
	free((void *)(uintptr_t)file->name);
	free((void *)(uintptr_t)file->path);
}

static void free_job(struct job *job)
{
	for (size_t i = 0; i < job->n; i++)
		free_incoming(&job->in[i]);
	for (size_t i = 0; i < job->n_out; i++)
		free_file(&job->out[i]);
	free(job->in);
	free(job->out);
	free(job);
}

/* ---- in the thread ---- */

static int disk_failed(const char *what, const char *path, struct err *err)
{
	int why = errno;
	log_error("uploads=%s: cannot %s: %s", path, what, strerror(why));
	return err_set(err, ERR_STORE, NULL);
}

static int open_dir(const char *dir, struct err *err)
{
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return disk_failed("make the folder", dir, err);
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return disk_failed("open the folder", dir, err);
	return fd;
}

static int check_quota(struct uploads *u, size_t more, struct err *err)
{
	int64_t now = clock_mono_ms();
	if (!u->measured_ms || now - u->measured_ms > TOTAL_GOOD_FOR_MS) {
		u->total_bytes = upload_total(u->dir);
		u->measured_ms = now;
	}
	if (u->total_bytes + (int64_t)more <= u->conf->uploads_quota * MIB)
		return 0;
	return err_set(err, ERR_FULL,
	    "upload space is full: %lld MB are in use; retry later or raise "
	    "uploads_quota in host.yaml",
	    (long long)(u->total_bytes / MIB));
}

/* Write one new file. On failure nothing of it is left. */
static int uploads_write_file(struct uploads *u, int dir_fd, const char *leaf,
    const char *data, size_t len, struct err *err)
{
	int fd = openat(dir_fd, leaf,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	    file_mode_in(dir_fd, 0600));
	if (fd < 0)
		return disk_failed("create a file", u->dir, err);
	int rc = write_all(fd, data, len) ? 0 : -1;
	if (!rc && u->conf->durability == DURABLE_POWER)
		rc = fdatasync(fd);
	if (rc < 0)
		disk_failed("write a file", u->dir, err);
	if (close(fd) < 0 && !rc)
		rc = disk_failed("write a file", u->dir, err);
	if (rc < 0)
		(void)unlinkat(dir_fd, leaf, 0); /* err has the first cause */
	return rc;
}

static void add_file(struct job *job, const char *dir, const char *leaf,
    const char *name, size_t size)
{
	struct buf path = {0};
	size_t len;
	buf_printf(&path, "%s/%s", dir, leaf);
	job->out[job->n_out++] = (struct agent_file){
	    .name = mem_strdup(name),
	    .path = buf_steal(&path, &len),
	    .size_bytes = (int64_t)size,
	};
}

static int save_one(
    struct uploads *u, struct job *job, size_t index, int dir_fd)
{
	struct incoming *in = &job->in[index];
	size_t size;
	char *data = mem_alloc(enc_base64_size(in->base64, in->base64_len) + 1);
	if (!enc_unbase64(data, &size, in->base64, in->base64_len)) {
		free(data);
		return err_set(
		    &job->err, ERR_BAD_REQUEST, "Invalid file: %zu", index);
	}
	char safe[UPLOAD_NAME_MAX + 1];
	char leaf[32 + 1 + sizeof safe];
	unsigned char noise[16];
	upload_name(safe, in->name, in->name_len);
	enc_random(noise, sizeof noise);
	enc_hex(leaf, noise, sizeof noise);
	snprintf(leaf + 32, sizeof leaf - 32, "_%s", safe);
	free_incoming(in);
	int rc = check_quota(u, size, &job->err);
	if (!rc)
		rc = uploads_write_file(u, dir_fd, leaf, data, size, &job->err);
	free(data);
	if (rc < 0)
		return -1;
	u->total_bytes += (int64_t)size;
	add_file(job, u->dir, leaf, safe, size);
	stat_add(uploads, 1);
	stat_add(upload_bytes, size);
	return 0;
}

static void forget_files(struct job *job)
{
	upload_discard(job->out, job->n_out);
	for (size_t i = 0; i < job->n_out; i++)
		free_file(&job->out[i]);
	job->n_out = 0;
}

static int save_all(struct uploads *u, struct job *job)
{
	int dir_fd = open_dir(u->dir, &job->err);
	if (dir_fd < 0)
		return -1;
	int rc = 0;
	for (size_t i = 0; i < job->n && !rc; i++)
		rc = save_one(u, job, i, dir_fd);
	if (!rc && u->conf->durability == DURABLE_POWER && fsync(dir_fd) < 0)
		rc = disk_failed("sync the folder", u->dir, &job->err);
	close(dir_fd);
	return rc;
}

static void uploads_run(struct crew_job *crew_job)
{
	struct job *job = list_entry(crew_job, struct job, job);
	job->out = mem_zero((job->n + 1) * sizeof *job->out);
	if (save_all(job->uploads, job) == 0)
		return;
	forget_files(job);
	job->has_failed = true;
}

/* ---- on the loop ---- */

static void uploads_tell(struct job *job)
{
	struct agent_file *files = job->out;
	size_t n = job->n_out;
	if (job->has_failed) {
		job->done(job->arg, NULL, 0, &job->err);
		return;
	}
	job->out = NULL;
	job->n_out = 0;
	job->done(job->arg, files, n, NULL);
}

static void uploads_on_done(struct crew_job *crew_job)
{
	struct job *job = list_entry(crew_job, struct job, job);
	if (crew_is_closing(job->uploads->crew))
		forget_files(job);
	else
		uploads_tell(job);
	free_job(job);
}

struct uploads *uploads_new(const char *dir, const struct conf *conf,
    void (*on_ready)(void *arg), void *arg)
{
	struct uploads *u = mem_zero(sizeof *u);
	u->dir = mem_strdup(dir);
	u->conf = conf;
	u->crew = crew_open(1, UPLOADS_MAX_JOBS, on_ready, arg);
	return u;
}

static char *copy_string(const struct json *v, size_t *len, bool is_data)
{
	struct buf scratch = {0};
	const char *s = json_str(v, &scratch, len);
	if (s && is_data)
		s = upload_payload(s, *len, len);
	if (!s)
		panic("uploads: saving a file that was not checked");
	char *copy = mem_strndup(s, *len);
	buf_fini(&scratch);
	return copy;
}

static struct job *uploads_make_job(const struct json *files)
{
	struct job *job = mem_zero(sizeof *job);
	job->job =
	    (struct crew_job){.run = uploads_run, .done = uploads_on_done};
	job->in = mem_zero((json_count(files) + 1) * sizeof *job->in);
	for (const struct json *f = json_first(files); f; f = json_next(f)) {
		struct incoming *in = &job->in[job->n++];
		in->name =
		    copy_string(json_get(f, "name"), &in->name_len, false);
		in->base64 =
		    copy_string(json_get(f, "data"), &in->base64_len, true);
	}
	return job;
}

int uploads_save(struct uploads *u, const struct json *files,
    uploads_done_fn *done, void *arg, struct err *err)
{
	struct job *job = uploads_make_job(files);
	job->uploads = u;
	job->done = done;
	job->arg = arg;
	if (crew_run(u->crew, &job->job))
		return 0;
	free_job(job);
	(void)err_set(err, ERR_CROWDED,
	    "server is busy: too many uploads wait to be saved; retry");
	err->retry_after_ms = RETRY_MS;
	return -1;
}

void uploads_collect(struct uploads *u)
{
	crew_collect(u->crew);
}

void uploads_free(struct uploads **up)
{
	struct uploads *u = *up;
	*up = NULL;
	if (!u)
		return;
	crew_close(&u->crew);
	free(u->dir);
	free(u);
}
