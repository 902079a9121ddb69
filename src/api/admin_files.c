/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "api/admin_files.h"

#include "access/lists_page.h"
#include "api/admin_evals.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "net/http.h"
#include "proc/crew.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * The log rotates at 10 MiB; anything beyond this, written by others, is cut.
 */
#define MAX_LOG ((size_t)32 * 1024 * 1024)

/*
 * The largest body sent at once; a larger one is sent in pieces of this size.
 */
#define PIECE ((size_t)128 * 1024)

#define BUSY "server is busy; retry later"

/* ---- the log ---- */

static bool admin_files_read_file(struct buf *out, int fd)
{
	while (out->len < MAX_LOG) {
		ssize_t n = read(fd, buf_reserve(out, PIECE), PIECE);
		if (n < 0)
			return false;
		if (n == 0)
			break;
		out->len += (size_t)n;
	}
	return true;
}

/* The agent may have written bytes that are not text. */
static void append_text(struct buf *out, const char *text, size_t len)
{
	for (size_t i = 0, n; i < len; i += n) {
		n = utf8_len(text + i, len - i);
		if (n)
			buf_append(out, text + i, n);
		else
			buf_str(out, "\xef\xbf\xbd");
		n += !n;
	}
}

bool admin_files_read_log(struct buf *out, const char *path)
{
	struct buf raw = {0};
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool is_read = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		       admin_files_read_file(&raw, fd);
	close(fd);
	if (is_read)
		append_text(out, raw.data, raw.len);
	buf_fini(&raw);
	return is_read;
}

/* ---- requests ---- */

struct fetch {
	struct crew_job job;
	struct http_req *req; /* NULL: the client left */
	const char *type;
	char *path;
	char *query;
	int status;   /* 0: not read */
	bool is_done; /* the thread no longer needs it */
	struct buf body;
	size_t sent;
};

static void free_fetch(struct fetch *f)
{
	free(f->path);
	free(f->query);
	buf_fini(&f->body);
	free(f);
}

static void admin_files_on_gone(void *arg)
{
	struct fetch *f = arg;
	f->req = NULL;
	if (f->is_done)
		free_fetch(f);
}

static struct fetch *fetch_of(struct crew_job *job)
{
	return list_entry(job, struct fetch, job);
}

/*
 * Send in pieces, so that a slow reader does not keep the whole file in a
 * socket's queue.
 */
static void send_piece(void *arg)
{
	struct fetch *f = arg;
	size_t left = f->body.len - f->sent;
	size_t n = left < PIECE ? left : PIECE;
	if (!n) {
		http_stream_end(f->req);
		free_fetch(f);
		return;
	}
	http_stream_write(f->req, f->body.data + f->sent, n);
	f->sent += n;
}

static void reply(struct fetch *f)
{
	if (f->body.len > PIECE) {
		http_stream_start(f->req, 200, f->type, send_piece, f);
		send_piece(f);
		return;
	}
	if (f->status == 200)
		http_reply(f->req, 200, f->type,
		    f->body.data ? f->body.data : "", f->body.len);
	else if (f->status == 404)
		http_reply_error(f->req, 404, "No logs found");
	else
		http_reply_error(f->req, 503, BUSY);
	free_fetch(f);
}

static void on_done(struct crew_job *job)
{
	struct fetch *f = fetch_of(job);
	f->is_done = true;
	if (f->req)
		reply(f);
	else
		free_fetch(f);
}

static struct fetch *new_fetch(struct http_req *req, const char *path,
    const char *type, void (*run)(struct crew_job *job))
{
	struct fetch *f = mem_zero(sizeof *f);
	f->job.run = run;
	f->job.done = on_done;
	f->req = req;
	f->type = type;
	f->path = mem_strdup(path);
	return f;
}

/* Takes f. */
static void begin_fetch(struct fetch *f, struct crew *crew)
{
	if (!crew_run(crew, &f->job)) {
		http_reply_error(f->req, 503, BUSY);
		free_fetch(f);
		return;
	}
	http_on_gone(f->req, admin_files_on_gone, f);
}

static void run_log(struct crew_job *job)
{
	struct fetch *f = fetch_of(job);
	f->status = admin_files_read_log(&f->body, f->path) ? 200 : 404;
}

static void run_sessions(struct crew_job *job)
{
	struct fetch *f = fetch_of(job);
	admin_evals_read(&f->body, f->path);
	f->status = 200;
}

static void run_lists(struct crew_job *job)
{
	struct fetch *f = fetch_of(job);
	lists_page(&f->body, f->path, f->query);
	f->status = 200;
}

void admin_files_logs(struct http_req *req, struct crew *crew, const char *path)
{
	begin_fetch(
	    new_fetch(req, path, "text/plain; charset=utf-8", run_log), crew);
}

void admin_files_sessions(
    struct http_req *req, struct crew *crew, const char *co_dir)
{
	begin_fetch(
	    new_fetch(req, co_dir, "application/json", run_sessions), crew);
}

void admin_files_lists(struct http_req *req, struct crew *crew,
    const char *co_dir, const char *query)
{
	struct fetch *f = new_fetch(req, co_dir, "application/json", run_lists);
	f->query = mem_strdup(query);
	begin_fetch(f, crew);
}
