/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "door/rows.h"

#include "base/buf.h"
#include "door/frame.h"
#include "session/session.h"

#include <string.h>

const char *rows_query(
    struct rows_query *q, int64_t before, int64_t after, int64_t limit)
{
	if (before >= 0 && after >= 0)
		return "before and after exclude each other";
	if (before == 0)
		return "before must be a position, from 1";
	if (limit == 0 || limit > ROWS_MAX)
		return "limit must be 1 to 1000";
	*q = (struct rows_query){
	    .side = before > 0	 ? ROWS_BEFORE
		    : after >= 0 ? ROWS_AFTER
				 : ROWS_NEWEST,
	    .pos = (uint64_t)(before > 0 ? before : after),
	    .limit = limit > 0 ? (size_t)limit : ROWS_PRESET,
	};
	return NULL;
}

static bool take_position(const struct event *ev, void *arg)
{
	*(uint64_t *)arg = ev->seq;
	return false;
}

uint64_t rows_first(const struct session *s)
{
	const struct session_range oldest = {.most = 1};
	uint64_t first = 0;
	(void)session_events(s, &oldest, take_position, &first);
	return first;
}

/* The rows of a page in the order in which they are read. */
struct reading {
	struct buf text;
	struct buf ends; /* of each row in the text, size_t */
};

static bool take_row(const struct event *ev, void *arg)
{
	struct reading *r = arg;
	frame_row(&r->text, ev);
	buf_append(&r->ends, &r->text.len, sizeof r->text.len);
	return r->text.len < ROWS_BYTES;
}

static size_t end_of(const struct reading *r, size_t i)
{
	size_t end;
	memcpy(&end, r->ends.data + i * sizeof end, sizeof end);
	return end;
}

static void put_rows(
    struct buf *out, const struct reading *r, bool is_backwards)
{
	size_t n = r->ends.len / sizeof(size_t);
	(void)buf_reserve(out, r->text.len + n);
	for (size_t i = 0; i < n; i++) {
		size_t at = is_backwards ? n - 1 - i : i;
		size_t begin = at ? end_of(r, at - 1) : 0;
		if (i)
			buf_char(out, ',');
		buf_append(out, r->text.data + begin, end_of(r, at) - begin);
	}
}

/* A position, or null for 0. */
static void put_place(struct buf *out, const char *name, uint64_t pos)
{
	buf_str(out, name);
	if (pos)
		buf_int(out, (int64_t)pos);
	else
		buf_str(out, "null");
}

/* What is read, and where further pages go on on either side; 0: nowhere. */
struct span_of_rows {
	uint64_t before;
	uint64_t after;
};

/* Read the rows up to a position. */
static struct span_of_rows read_back(
    struct reading *r, const struct session *s, uint64_t upto, size_t limit)
{
	uint64_t head = session_head(s), next = 0;
	const struct session_range range = {
	    .from = upto, .is_backwards = true, .most = limit};
	if (upto)
		next = session_events(s, &range, take_row, r);
	return (struct span_of_rows){
	    .before = next ? next + 1 : 0, .after = upto < head ? upto : 0};
}

/* Read the rows after a position. */
static struct span_of_rows read_on(struct reading *r, const struct session *s,
    uint64_t after, uint64_t first, size_t limit)
{
	const struct session_range range = {.from = after + 1, .most = limit};
	uint64_t next = session_events(s, &range, take_row, r);
	return (struct span_of_rows){
	    .before = first && after >= first ? after + 1 : 0,
	    .after = next ? next - 1 : 0};
}

void rows_put_page(struct buf *out, const struct sessions *all,
    const struct session *s, const struct rows_query *q)
{
	/* Rows that come meanwhile are those of the next page. */
	uint64_t head = session_head(s), first = rows_first(s);
	struct reading r = {.text = {0}};
	struct span_of_rows more;
	if (q->side == ROWS_AFTER)
		more = read_on(&r, s, q->pos, first, q->limit);
	else if (q->side == ROWS_BEFORE && q->pos <= head)
		more = read_back(&r, s, q->pos - 1, q->limit);
	else
		more = read_back(&r, s, head, q->limit);
	buf_str(out, "\"session_id\":");
	buf_json_str(out, session_id(s));
	buf_str(out, ",\"epoch\":");
	buf_int(out, (int64_t)session_epoch(all));
	buf_str(out, ",\"head\":");
	buf_int(out, (int64_t)head);
	buf_str(out, ",\"first\":");
	buf_int(out, (int64_t)first);
	buf_str(out, ",\"rows\":[");
	put_rows(out, &r, q->side != ROWS_AFTER);
	put_place(out, "],\"before\":", more.before);
	put_place(out, ",\"after\":", more.after);
	buf_fini(&r.text);
	buf_fini(&r.ends);
}
