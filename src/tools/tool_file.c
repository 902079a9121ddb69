/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "tools/tool_file.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How much is read at a time. */
#define PIECE 65536

static struct tool_file *file_of(struct tool_run *run)
{
	return (struct tool_file *)(void *)run;
}

/* ---- the life of a call ---- */

static void free_file(struct tool_run *run)
{
	struct tool_file *f = file_of(run);

	json_fini(&f->doc);
	free(f->text);
	buf_fini(&f->out);
	free(f);
}

/* Its thread may be at it: then done() frees it. */
static void cancel(struct tool_run *run)
{
	atomic_store(&file_of(run)->is_cancelled, true);
}

static void run(struct crew_job *job)
{
	struct tool_file *f = list_entry(job, struct tool_file, job);

	f->deadline_ms = clock_mono_ms() + TOOL_FILE_TIMEOUT_MS;
	if (atomic_load(&f->is_cancelled))
		return;
	f->status = tool_user_become(f->user)
			? f->work(f)
			: tool_file_fail(f, "cannot become agent_user: %s",
			      strerror(errno));
}

static void done(struct crew_job *job)
{
	struct tool_file *f = list_entry(job, struct tool_file, job);

	if (atomic_load(&f->is_cancelled))
		free_file(&f->run);
	else
		tool_run_end(&f->run, f->status, &f->out);
}

struct tool_run *tool_file_start(
    struct crew *crew, struct loop *loop, const struct tool_file *call)
{
	struct tool_file *f = mem_alloc(sizeof *f);

	memcpy(f, call, sizeof *f);
	f->run.cancel = cancel;
	f->run.free = free_file;
	f->job = (struct crew_job){.run = run, .done = done};
	f->status = TOOL_ERROR;
	if (crew_run(crew, &f->job))
		return &f->run;
	struct buf busy = {0};
	const struct tool_call_ops *ops = f->run.ops;
	void *arg = f->run.arg;
	buf_str(&busy, "Error: too many calls of file tools wait; try again");
	free_file(&f->run);
	return tool_run_soon(loop, ops, arg, TOOL_ERROR, &busy);
}

/* ---- for tools ---- */

bool tool_file_is_over(const struct tool_file *f)
{
	return atomic_load(&f->is_cancelled) ||
	       clock_mono_ms() >= f->deadline_ms;
}

enum tool_status tool_file_fail(struct tool_file *f, const char *fmt, ...)
{
	va_list ap;

	buf_reset(&f->out);
	buf_str(&f->out, "Error: ");
	va_start(ap, fmt);
	buf_vprintf(&f->out, fmt, ap);
	va_end(ap);
	return TOOL_ERROR;
}

char *tool_file_string(const struct tool_file *f, const char *name)
{
	return json_strdup(json_get(f->args, name));
}

int64_t tool_file_int(
    const struct tool_file *f, const char *name, int64_t usual)
{
	int64_t n;

	return json_int(json_get(f->args, name), &n) ? n : usual;
}

bool tool_file_bool(const struct tool_file *f, const char *name)
{
	bool flag;

	return json_bool(json_get(f->args, name), &flag) && flag;
}

int tool_file_read(
    int fd, const char *path, size_t max, struct buf *out, struct err *err)
{
	size_t start = out->len;

	for (;;) {
		ssize_t n = read(fd, buf_reserve(out, PIECE), PIECE);

		if (n == 0)
			return 0;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, ERR_BAD_REQUEST, "'%.300s': %s",
			    path, strerror(errno));
		out->len += (size_t)n;
		if (out->len - start > max)
			return err_set(err, ERR_TOO_LARGE,
			    "'%.300s' is larger than %zu MiB, the limit of "
			    "this tool",
			    path, max >> 20);
	}
}
