/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "files/mirror.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "core/conf.h"
#include "core/err.h"
#include "files/evals.h"
#include "files/exchange.h"
#include "files/result_line.h"
#include "files/results.h"
#include "store/feed.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

/*
 * The delay until the next check of the feed: normally; after a failure; if
 * there is more.
 */
#define LOOK_MS 200
#define RETRY_MS 1000
#define MORE_MS 1

/* Limits of one step: rows, and bytes of lines. */
#define STEP_ROWS 2000
#define STEP_BYTES ((size_t)8 * 1024 * 1024)

/* How often processed rows are deleted: each time costs a sync. */
#define DROP_MS 1000

/* The maximum number of rows that wait for a file that cannot be written. */
#define MAX_BEHIND 100000

/* How often the file is searched for expired sessions. */
#define COMPACT_MS ((int64_t)3600 * 1000)
#define COMPARE_RETRY_MS 60000

/*
 * It is compacted when its stale part is larger than both its current part and
 * this.
 */
#define SLACK ((uint64_t)1024 * 1024)

struct mirror {
	struct mirror_setup setup;
	struct results *results; /* NULL: disabled */
	struct evals *evals;	 /* NULL: disabled */
	int turn_fd;		 /* the lock held by the active keeper, or -1 */
	uint64_t first;		 /* lowest row not deleted yet; 0: unknown */
	uint64_t written;	 /* rows up to this one are in the file */
	uint64_t evaluated;	 /* and up to this one in the evals */
	uint64_t stale; /* bytes written since that later lines supersede */
	bool is_compared;
	bool is_told;  /* a write error has been logged */
	bool is_stuck; /* rows cannot be deleted */
	int64_t drop_at_ms;
	int64_t compare_at_ms;
};

static struct results *new_results(const struct conf *conf)
{
	struct buf path = {0};
	buf_printf(&path, "%s/session_results.jsonl", conf->co_dir);
	struct results *r = results_new(buf_cstr(&path));
	buf_fini(&path);
	return r;
}

struct mirror *mirror_new(const struct mirror_setup *setup)
{
	struct mirror *m = mem_zero(sizeof *m);
	m->setup = *setup;
	m->turn_fd = -1;
	if (setup->conf->session_results)
		m->results = new_results(setup->conf);
	if (setup->conf->evals && setup->model)
		m->evals = evals_new(setup->conf, setup->model);
	return m;
}

void mirror_free(struct mirror **m)
{
	if (!*m)
		return;
	results_free(&(*m)->results);
	evals_free(&(*m)->evals);
	if ((*m)->turn_fd >= 0)
		close((*m)->turn_fd);
	free(*m);
	*m = NULL;
}

/* Log a failure, or the recovery from one, once. err NULL: success. */
static void mirror_tell(bool *is_told, const struct err *err)
{
	if (err && !*is_told)
		log_error("mirror: %s; retrying", err->text);
	if (!err && *is_told)
		log_info("mirror: works again");
	*is_told = err != NULL;
}

static bool is_our_turn(struct mirror *m)
{
	struct buf path = {0};
	if (m->turn_fd >= 0)
		return true;
	buf_printf(&path, "%s/store/mirror.lock", m->setup.conf->co_dir);
	m->turn_fd = open(buf_cstr(&path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	buf_fini(&path);
	if (m->turn_fd >= 0 && flock(m->turn_fd, LOCK_EX | LOCK_NB) == 0)
		return true;
	if (m->turn_fd >= 0)
		close(m->turn_fd);
	m->turn_fd = -1;
	return false;
}

/* ---- the feed ---- */

struct gathering {
	struct mirror *mirror;
	struct buf lines;
	uint64_t stale; /* bytes of them that later lines supersede */
	unsigned n;
	bool is_full;
};

/*
 * Only one line of a session is current: the end of a turn supersedes its
 * start, and also the end of the turn before.
 */
static bool makes_stale(const struct record *r)
{
	return r->turn > 1 || r->status == RECORD_RUNNING;
}

static void gather_line(struct gathering *g, const struct feed_row *row)
{
	size_t before = g->lines.len;
	result_line_write(&g->lines, &row->record, row->talk);
	if (makes_stale(&row->record))
		g->stale += g->lines.len - before;
}

static bool gather(const struct feed_row *row, void *arg)
{
	struct gathering *g = arg;
	struct mirror *m = g->mirror;
	if (!m->first)
		m->first = row->key;
	if (m->results)
		gather_line(g, row);
	if (m->evals && row->key > m->evaluated)
		evals_turn(m->evals, &row->record, row->talk);
	m->evaluated = row->key;
	g->is_full = ++g->n >= STEP_ROWS || g->lines.len >= STEP_BYTES;
	return !g->is_full;
}

/* Returns 0; 1 if another process has the file; -1 with *err. */
static int append(struct mirror *m, const struct buf *lines, struct err *err)
{
	int rc = results_lock(m->results, err);
	if (rc != 0)
		return rc;
	rc = results_append(m->results, lines, err);
	results_unlock(m->results);
	return rc;
}

static void mirror_drop(struct mirror *m)
{
	struct err err;
	int64_t now = clock_mono_ms();
	if (!m->first || m->written < m->first || now < m->drop_at_ms)
		return;
	m->drop_at_ms = now + DROP_MS;
	int rc = feed_drop(m->setup.store, m->first, m->written, &err);
	mirror_tell(&m->is_stuck, rc == 0 ? NULL : &err);
	if (rc != 0)
		return;
	/* In an empty feed the numbers start again. */
	m->first = m->written = m->evaluated = 0;
}

/*
 * The file has not been writable for too long: drop the rows, and compare it
 * later.
 */
static void mirror_give_up(struct mirror *m)
{
	uint64_t last = feed_last(m->setup.store);
	if (!m->first || last < m->first + MAX_BEHIND)
		return;
	log_warn("mirror: too many changes wait for session_results.jsonl; it "
		 "will be compared with the store");
	m->is_compared = false;
	m->compare_at_ms = 0;
	m->written = last;
}

/*
 * Move rows into the file. *more tells whether others wait. Returns 0, or -1 if
 * it is impossible now.
 */
static int follow(struct mirror *m, bool *more)
{
	struct gathering g = {.mirror = m};
	struct err err;
	uint64_t last = feed_read(m->setup.store, m->written, gather, &g);
	int rc = g.lines.len ? append(m, &g.lines, &err) : 0;
	buf_fini(&g.lines);
	*more = g.is_full;
	if (rc == 0) {
		m->written = last;
		m->stale += g.stale;
		if (g.n)
			mirror_tell(&m->is_told, NULL);
		return 0;
	}
	if (rc < 0)
		mirror_tell(&m->is_told, &err);
	mirror_give_up(m);
	return -1;
}

/* ---- comparing ---- */

struct comparing {
	struct mirror *mirror;
	const struct map *marks;
};

/* Lines that the Python host wrote after ours are newer than the store. */
static bool is_missing(const struct record *r, void *arg)
{
	const struct comparing *c = arg;
	const struct result_mark *mark =
	    map_get(c->marks, r->id.data, r->id.len);
	if (!mark || mark->created_ms < r->created_ms)
		return true;
	return mark->created_ms == r->created_ms && mark->status != r->status;
}

static int append_missing(const struct buf *lines, void *arg, struct err *err)
{
	const struct comparing *c = arg;
	return results_append(c->mirror->results, lines, err);
}

static int add_missing(
    struct mirror *m, const struct map *marks, struct err *err)
{
	struct comparing c = {m, marks};
	struct exchange_sink sink = {is_missing, append_missing, &c};
	return exchange_lines(m->setup.store, &sink, err);
}

static int compare_locked(struct mirror *m, struct err *err)
{
	struct map *marks = results_marks(m->results, NULL, NULL, err);
	if (!marks)
		return -1;
	int rc = results_compact(m->results, marks, err);
	if (rc == 0 && !m->is_compared)
		rc = add_missing(m, marks, err);
	results_marks_free(&marks);
	return rc;
}

/* Compact the file, and compare it with the store unless that has been done. */
static void mirror_compare(struct mirror *m)
{
	struct err err;
	int rc = results_lock(m->results, &err);
	if (rc > 0)
		return;
	if (rc == 0) {
		rc = compare_locked(m, &err);
		results_unlock(m->results);
	}
	if (rc != 0)
		log_error("mirror: %s", err.text);
	m->is_compared |= rc == 0;
	m->stale = 0;
	m->compare_at_ms =
	    clock_mono_ms() + (rc == 0 ? COMPACT_MS : COMPARE_RETRY_MS);
}

static bool is_compare_due(const struct mirror *m, bool is_idle)
{
	if (!m->results)
		return false;
	return (is_idle && clock_mono_ms() >= m->compare_at_ms) ||
	       2 * m->stale > results_size(m->results) + SLACK;
}

int64_t mirror_step(struct mirror *m)
{
	bool more;
	if (!is_our_turn(m) || follow(m, &more) != 0)
		return RETRY_MS;
	mirror_drop(m);
	if (is_compare_due(m, !more))
		mirror_compare(m);
	return more ? MORE_MS : LOOK_MS;
}
