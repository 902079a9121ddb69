/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "status/access_log.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/write_all.h"
#include "core/stat.h"
#include "status/access_text.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define PIECE_BYTES ((size_t)64 * 1024)
#define MAX_PIECES 16

/* Lines that are written together. */
struct piece {
	struct piece *next;
	bool reopens; /* the file is opened again after it */
	unsigned n_lines;
	size_t len;
	char bytes[PIECE_BYTES];
};

struct access_log {
	char *path; /* NULL: the system log */
	bool is_json;
	unsigned slot;
	struct piece *filling; /* NULL: the next line needs a piece */
	pthread_t thread;
	/* Below: with the thread. */
	pthread_mutex_t mutex;
	pthread_cond_t is_changed;
	struct piece *first; /* to be written */
	struct piece *last;
	unsigned n_pieces;
	bool is_closing;
	int fd; /* of the thread; -1: not open */
};

/* ---- the thread ---- */

static void open_file(struct access_log *log)
{
	if (!log->path)
		return;
	int fd =
	    open(log->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	if (fd < 0) {
		log_error("access_log=%s: cannot be opened: %s", log->path,
		    strerror(errno));
		return;
	}
	if (log->fd >= 0)
		close(log->fd);
	log->fd = fd;
}

static void write_syslog(const struct piece *p)
{
	const char *s = p->bytes, *end = p->bytes + p->len;
	while (s < end) {
		const char *line_end = memchr(s, '\n', (size_t)(end - s));
		syslog(LOG_DAEMON | LOG_INFO, "%.*s", (int)(line_end - s), s);
		s = line_end + 1;
	}
}

static void write_piece(struct access_log *log, const struct piece *p)
{
	if (!p->n_lines)
		return;
	if (!log->path)
		write_syslog(p);
	else if (log->fd < 0 || !write_all(log->fd, p->bytes, p->len))
		stat_add(access_lost, p->n_lines);
}

/* Returns NULL when the log is closed and all is written. */
static struct piece *next_piece(struct access_log *log)
{
	pthread_mutex_lock(&log->mutex);
	while (!log->first && !log->is_closing)
		pthread_cond_wait(&log->is_changed, &log->mutex);
	struct piece *p = log->first;
	if (p)
		log->first = p->next;
	pthread_mutex_unlock(&log->mutex);
	return p;
}

static void *work(void *arg)
{
	struct access_log *log = arg;
	struct piece *p;
	open_file(log);
	while ((p = next_piece(log)) != NULL) {
		write_piece(log, p);
		if (p->reopens)
			open_file(log);
		free(p);
		pthread_mutex_lock(&log->mutex);
		log->n_pieces--;
		pthread_mutex_unlock(&log->mutex);
	}
	return NULL;
}

/* ---- the caller ---- */

struct access_log *access_log_open(
    const char *where, bool is_json, unsigned slot)
{
	struct access_log *log = mem_zero(sizeof *log);
	sigset_t all, old;
	if (strcmp(where, "syslog") != 0)
		log->path = mem_strdup(where);
	log->is_json = is_json;
	log->slot = slot;
	log->fd = -1;
	if (pthread_mutex_init(&log->mutex, NULL) != 0 ||
	    pthread_cond_init(&log->is_changed, NULL) != 0)
		fatal("access log: no lock");
	/* The loop's thread gets all signals. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	if (pthread_create(&log->thread, NULL, work, log) != 0)
		fatal("access log: cannot start a thread");
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	return log;
}

/* Returns NULL if too much waits to be written. */
static struct piece *new_piece(struct access_log *log)
{
	pthread_mutex_lock(&log->mutex);
	bool has_room = log->n_pieces < MAX_PIECES;
	log->n_pieces += has_room;
	pthread_mutex_unlock(&log->mutex);
	if (!has_room)
		return NULL;
	struct piece *p = mem_alloc(sizeof *p);
	p->next = NULL;
	p->reopens = false;
	p->n_lines = 0;
	p->len = 0;
	return p;
}

static void hand_over(struct access_log *log, struct piece *p)
{
	pthread_mutex_lock(&log->mutex);
	if (log->first)
		log->last->next = p;
	else
		log->first = p;
	log->last = p;
	pthread_cond_signal(&log->is_changed);
	pthread_mutex_unlock(&log->mutex);
}

void access_log_add(struct access_log *log, const struct access_line *line)
{
	if (log->filling && PIECE_BYTES - log->filling->len < ACCESS_TEXT_MAX)
		access_log_flush(log);
	if (!log->filling)
		log->filling = new_piece(log);
	if (!log->filling) {
		stat_add(access_lines, 1);
		stat_add(access_lost, 1);
		return;
	}
	struct piece *p = log->filling;
	p->len += access_text(p->bytes + p->len, line, log->slot, log->is_json);
	p->n_lines++;
}

void access_log_flush(struct access_log *log)
{
	if (log->filling) {
		stat_add(access_lines, log->filling->n_lines);
		hand_over(log, log->filling);
	}
	log->filling = NULL;
}

void access_log_reopen(struct access_log *log)
{
	if (!log->filling)
		log->filling = new_piece(log);
	if (!log->filling) {
		log_warn("access log: too much waits to be written: it is not "
			 "opened again");
		return;
	}
	log->filling->reopens = true;
	access_log_flush(log);
}

void access_log_close(struct access_log **log)
{
	struct access_log *l = *log;
	*log = NULL;
	if (!l)
		return;
	access_log_flush(l);
	pthread_mutex_lock(&l->mutex);
	l->is_closing = true;
	pthread_cond_signal(&l->is_changed);
	pthread_mutex_unlock(&l->mutex);
	(void)pthread_join(l->thread, NULL); /* cannot fail */
	(void)pthread_cond_destroy(&l->is_changed);
	(void)pthread_mutex_destroy(&l->mutex);
	if (l->fd >= 0)
		close(l->fd);
	free(l->path);
	free(l);
}
