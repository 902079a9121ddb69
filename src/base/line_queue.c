/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/line_queue.h"

#include <string.h>

void line_init(struct line_queue *q, size_t max)
{
	*q = (struct line_queue){.max = max};
}

void line_fini(struct line_queue *q)
{
	buf_fini(&q->own);
	q->n_lent = 0;
}

/*
 * Remove the lines that were taken, all at once, so that many short lines cost
 * one move.
 */
static void forget_taken(struct line_queue *q)
{
	if (!q->taken)
		return;
	buf_consume(&q->own, q->taken);
	q->scanned -= q->taken;
	q->taken = 0;
}

void line_keep(struct line_queue *q)
{
	forget_taken(q);
	buf_append(&q->own, q->lent, q->n_lent);
	q->n_lent = 0;
}

void line_lend(struct line_queue *q, const char *data, size_t len)
{
	line_keep(q);
	q->lent = data;
	q->n_lent = len;
}

void line_feed(struct line_queue *q, const char *data, size_t len)
{
	line_lend(q, data, len);
	line_keep(q);
}

/* Move lent bytes behind our own, up to the first newline. */
static void join(struct line_queue *q)
{
	const char *end = memchr(q->lent, '\n', q->n_lent);
	size_t n = end ? (size_t)(end - q->lent) + 1 : q->n_lent;

	buf_append(&q->own, q->lent, n);
	q->lent += n;
	q->n_lent -= n;
}

static void skip_to_newline(struct line_queue *q)
{
	size_t left = q->own.len - q->taken;
	const char *end =
	    left ? memchr(q->own.data + q->taken, '\n', left) : NULL;

	if (end) {
		q->taken = q->scanned = (size_t)(end - q->own.data) + 1;
		q->is_skipping = false;
		return;
	}
	q->taken = q->scanned = q->own.len;
	end = q->n_lent ? memchr(q->lent, '\n', q->n_lent) : NULL;
	size_t n = end ? (size_t)(end - q->lent) + 1 : q->n_lent;
	q->lent += n;
	q->n_lent -= n;
	q->is_skipping = !end;
}

static enum line_state next_own(
    struct line_queue *q, const char **text, size_t *len)
{
	const char *start = q->own.data + q->taken;
	size_t left = q->own.len - q->scanned;
	const char *end =
	    left ? memchr(q->own.data + q->scanned, '\n', left) : NULL;

	if (!end) {
		q->scanned = q->own.len;
		if (q->scanned - q->taken <= q->max)
			return LINE_NONE;
		*text = start;
		*len = q->own.len - q->taken;
		q->taken = q->own.len;
		q->is_skipping = true;
		return LINE_TOO_LONG;
	}
	*text = start;
	*len = (size_t)(end - start);
	q->taken = q->scanned = (size_t)(end - q->own.data) + 1;
	return *len > q->max ? LINE_TOO_LONG : LINE_WHOLE;
}

static enum line_state next_lent(
    struct line_queue *q, const char **text, size_t *len)
{
	const char *end = memchr(q->lent, '\n', q->n_lent);

	if (!end && q->n_lent <= q->max)
		return LINE_NONE;
	*text = q->lent;
	if (!end) {
		*len = q->n_lent;
		q->lent += q->n_lent;
		q->n_lent = 0;
		q->is_skipping = true;
		return LINE_TOO_LONG;
	}
	*len = (size_t)(end - q->lent);
	q->lent = end + 1;
	q->n_lent -= *len + 1;
	return *len > q->max ? LINE_TOO_LONG : LINE_WHOLE;
}

enum line_state line_next(struct line_queue *q, const char **text, size_t *len)
{
	if (q->is_skipping)
		skip_to_newline(q);
	if (q->own.len > q->taken) {
		enum line_state state = next_own(q, text, len);
		if (state != LINE_NONE || !q->n_lent)
			return state;
		join(q);
		return next_own(q, text, len);
	}
	return q->n_lent ? next_lent(q, text, len) : LINE_NONE;
}
