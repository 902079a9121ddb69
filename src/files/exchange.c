/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "files/exchange.h"

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/write_all.h"
#include "core/conversation.h"
#include "core/err.h"
#include "core/session_id.h"
#include "files/result_line.h"
#include "files/results.h"
#include "store/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Bytes of lines passed on at once, and sessions imported in one commit. */
#define LINES_BYTES ((size_t)4 * 1024 * 1024)
#define IMPORT_STEP 200

/* ---- out of the store ---- */

struct walk {
	struct store_txn txn;
	const struct exchange_sink *sink;
	struct buf lines;
	uint64_t next; /* where to continue; 0: finished */
};

static bool add_line(struct store_span key, struct store_span value, void *arg)
{
	struct walk *w = arg;
	struct record r;
	struct store_span talk = {NULL, 0};
	w->next = store_number(key.data);
	if (w->lines.len >= LINES_BYTES)
		return false;
	w->next = 0;
	if (!record_decode(&r, value) ||
	    (r.status != RECORD_RUNNING && r.expires_ms <= clock_expiry_ms()) ||
	    (w->sink->wants && !w->sink->wants(&r, w->sink->arg)))
		return true;
	(void)store_get(&w->txn, TABLE_TALKS, key.data, key.len, &talk);
	result_line_write(&w->lines, &r, talk);
	return true;
}

int exchange_lines(
    struct store *store, const struct exchange_sink *sink, struct err *err)
{
	struct walk w = {.sink = sink};
	int rc = 0;
	do {
		struct store_key key = store_key1(w.next);
		buf_reset(&w.lines);
		store_read(store, &w.txn, STORE_FACTS);
		store_each(&w.txn, TABLE_SESSIONS, key.bytes, 8, add_line, &w);
		rc = store_read_end(&w.txn, err);
		if (rc == 0 && w.lines.len)
			rc = sink->take(&w.lines, sink->arg, err);
	} while (rc == 0 && w.next);
	buf_fini(&w.lines);
	return rc;
}

static int write_lines(const struct buf *lines, void *arg, struct err *err)
{
	int fd = *(const int *)arg;
	if (write_all(fd, lines->data, lines->len))
		return 0;
	return err_set(err, ERR_STORE, "cannot write: %s", strerror(errno));
}

int exchange_export(struct store *store, int fd, struct err *err)
{
	struct exchange_sink sink = {.take = write_lines, .arg = &fd};
	return exchange_lines(store, &sink, err);
}

/* ---- into the store ---- */

static bool note_row(struct store_span key, struct store_span value, void *arg)
{
	(void)key;
	(void)value;
	*(bool *)arg = false;
	return false;
}

bool exchange_is_empty(struct store *store)
{
	struct store_txn t;
	struct err err;
	bool is_empty = true;
	store_read(store, &t, STORE_FACTS);
	store_each(&t, TABLE_SESSIONS, NULL, 0, note_row, &is_empty);
	return store_read_end(&t, &err) == 0 && is_empty;
}

struct import {
	struct store_txn txn;
	uint64_t next_number;
	int64_t ttl_ms;
	results_left_fn *left;
	struct exchange_count *count;
};

static void leave_out(void *arg, size_t line, const char *why)
{
	struct import *im = arg;
	im->count->left++;
	if (im->left)
		im->left(NULL, line, why);
}

/* Fill in what the file does not say. */
static void complete(const struct import *im, struct record *r)
{
	int64_t now = clock_wall_ms();
	if (!r->created_ms)
		r->created_ms = now;
	if (!r->expires_ms)
		r->expires_ms = now + im->ttl_ms;
	if (!r->prompt.data)
		r->prompt = (struct store_span){"", 0};
	if (!r->caller.data)
		r->caller = (struct store_span){"", 0};
	if (r->duration_ms < 0)
		r->duration_ms = 0;
	if (r->status == RECORD_RUNNING)
		r->status = RECORD_INTERRUPTED;
	if (r->status == RECORD_INTERRUPTED)
		r->reason = (struct store_span){"interrupted", 11};
	if (r->status == RECORD_FAILED)
		r->reason = (struct store_span){"failed", 6};
	if (r->status != RECORD_DONE)
		r->result = (struct store_span){NULL, 0};
	else if (!r->result.data)
		r->result = (struct store_span){"", 0};
	r->turn = r->client_turn ? r->client_turn : 1;
	r->updated_ms = r->created_ms + r->duration_ms;
	r->started_us = r->created_ms * 1000;
}

/*
 * Give the session a number, and a turn that it has not had. Returns false if
 * the stored state is as new.
 */
static bool place(struct import *im, struct record *r)
{
	struct store_span row;
	struct record old;
	r->number = im->next_number;
	if (!store_get(&im->txn, TABLE_IDS, r->id.data, r->id.len, &row) ||
	    row.len != 8) {
		im->next_number++;
		return true;
	}
	r->number = store_number(row.data);
	struct store_key key = store_key1(r->number);
	if (!store_get(&im->txn, TABLE_SESSIONS, key.bytes, 8, &row) ||
	    !record_decode(&old, row))
		return true;
	if (r->turn <= old.turn)
		r->turn = old.turn + 1;
	return old.created_ms < r->created_ms;
}

static void put_talk(struct import *im, const struct store_key *key,
    const struct record *r, struct store_span talk)
{
	struct buf id = {0}, text = {0};
	if (!talk.data)
		return;
	buf_json(&id, r->id.data, r->id.len);
	conversation_set(&text, talk.data, talk.len, "session_id", &id);
	store_put(&im->txn, TABLE_TALKS, key->bytes, 8, text.data, text.len);
	buf_fini(&id);
	buf_fini(&text);
}

static void import_line(
    struct import *im, struct result_line *line, size_t number)
{
	struct record *r = &line->record;
	struct buf row = {0};
	complete(im, r);
	if (r->expires_ms <= clock_expiry_ms()) {
		im->count->expired++;
		return;
	}
	if (!session_id_is_valid(r->id.data, r->id.len)) {
		leave_out(im, number, "its session_id is not valid");
		return;
	}
	if (!place(im, r)) {
		im->count->kept++;
		return;
	}
	struct store_key key = store_key1(r->number);
	record_encode(&row, r);
	store_put(&im->txn, TABLE_IDS, r->id.data, r->id.len, key.bytes, 8);
	store_put(&im->txn, TABLE_SESSIONS, key.bytes, 8, row.data, row.len);
	put_talk(im, &key, r, line->talk);
	buf_fini(&row);
	im->count->added++;
}

struct queue {
	const struct result_mark **marks;
	size_t n;
};

static int queue_mark(void *value, void *arg)
{
	struct queue *q = arg;
	q->marks[q->n++] = value;
	return 0;
}

/* Numbers grow in the order of creation. */
static int by_creation(const void *a, const void *b)
{
	const struct result_mark *x = *(const struct result_mark *const *)a;
	const struct result_mark *y = *(const struct result_mark *const *)b;
	if (x->created_ms != y->created_ms)
		return x->created_ms < y->created_ms ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

static int import_some(struct import *im, struct store *store,
    struct results *file, const struct queue *q, size_t from, struct err *err)
{
	struct result_line line = {.talk = {NULL, 0}};
	int rc = 0;
	store_write(store, &im->txn, STORE_FACTS);
	for (size_t i = from; i < q->n && i < from + IMPORT_STEP && rc == 0;
	     i++) {
		rc = results_read(file, q->marks[i], &line, err);
		if (rc == 0)
			import_line(im, &line, q->marks[i]->line);
	}
	result_line_fini(&line);
	if (rc == 0)
		return store_commit(&im->txn, err);
	store_abort(&im->txn);
	return rc;
}

int exchange_import(struct store *store, struct results *file, int64_t ttl_ms,
    results_left_fn *left, struct exchange_count *count, struct err *err)
{
	struct import im = {.ttl_ms = ttl_ms, .left = left, .count = count};
	struct queue q = {.n = 0};
	int rc = 0;
	*count = (struct exchange_count){0};
	im.next_number = record_next_number(store);
	struct map *marks = results_marks(file, leave_out, &im, err);
	if (!marks)
		return -1;
	q.marks = mem_zero((map_count(marks) + 1) * sizeof *q.marks);
	(void)map_each(marks, queue_mark, &q);
	qsort(q.marks, q.n, sizeof *q.marks, by_creation);
	for (size_t i = 0; i < q.n && rc == 0; i += IMPORT_STEP)
		rc = import_some(&im, store, file, &q, i, err);
	free(q.marks);
	results_marks_free(&marks);
	return rc;
}
