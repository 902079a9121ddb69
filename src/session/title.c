/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "session/title.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "session/change.h"
#include "session/record_put.h"
#include "session/session_int.h"

#include <string.h>

#define CUT "..."

/* The bytes before the text: when the session began. */
#define HEAD 8

static bool is_blank(char c)
{
	return (unsigned char)c <= ' ' || c == 0x7f;
}

/* What begins at s and becomes one space, in bytes. */
static size_t blank_len(const char *s, size_t len)
{
	size_t n = 0;
	while (n < len && is_blank(s[n]))
		n++;
	return n;
}

void title_shorten(struct buf *out, const char *prompt, size_t len)
{
	size_t begin = out->len, fits = begin;
	size_t at = blank_len(prompt, len);
	while (at < len) {
		size_t blank = blank_len(prompt + at, len - at);
		size_t n = blank ? 1 : utf8_len(prompt + at, len - at);
		if (blank && at + blank == len)
			return;
		if (out->len + n - begin > TITLE_DEFAULT) {
			out->len = fits;
			buf_str(out, CUT);
			return;
		}
		buf_append(out, blank ? " " : prompt + at, n);
		if (out->len - begin <= TITLE_DEFAULT - strlen(CUT))
			fits = out->len;
		at += blank ? blank : n ? n : 1;
	}
}

/* ---- the row ---- */

static bool view(struct store_span row, struct title *title)
{
	if (row.len < HEAD)
		return false;
	title->began_ms = (int64_t)store_number(row.data);
	title->text =
	    (struct store_span){(const char *)row.data + HEAD, row.len - HEAD};
	return true;
}

void title_read(struct store_txn *t, uint64_t number, struct title *title)
{
	struct store_key key = store_key1(number);
	struct store_span row;
	*title = (struct title){.text = {"", 0}};
	if (store_get(t, TABLE_TITLES, key.bytes, 8, &row))
		(void)view(row, title);
}

static void write_row(struct store_txn *t, struct store_span key,
    struct store_span value, const struct title *old)
{
	struct buf row = {0};
	struct store_key began = store_key1((uint64_t)old->began_ms);
	buf_append(&row, value.data, value.len);
	if (old->began_ms)
		memcpy(row.data, began.bytes, HEAD);
	store_put(t, TABLE_TITLES, key.data, key.len, row.data, row.len);
	buf_fini(&row);
}

static void write_title(
    struct store_txn *t, struct store_span key, struct store_span value)
{
	struct title old;
	title_read(t, store_number(key.data), &old);
	write_row(t, key, value, &old);
}

/* A session that has a title costs no page to write. */
static void write_default(
    struct store_txn *t, struct store_span key, struct store_span value)
{
	struct title old;
	title_read(t, store_number(key.data), &old);
	if (!old.text.len)
		write_row(t, key, value, &old);
}

static struct buf *put(
    struct commit *c, const struct session *s, commit_write_fn *write)
{
	struct store_key key = store_key1(s->number);
	struct store_key now = store_key1((uint64_t)clock_wall_ms());
	struct commit_put *p = journal_put(c, TABLE_TITLES, key.bytes, 8);
	p->write = write;
	buf_append(&p->value, now.bytes, HEAD);
	return &p->value;
}

void title_put_default(
    struct commit *c, const struct session *s, const char *prompt, size_t len)
{
	title_shorten(put(c, s, write_default), prompt, len);
}

void title_put(
    struct commit *c, const struct session *s, const char *text, size_t len)
{
	buf_append(put(c, s, write_title), text, len);
}

/* ---- a change by a client ---- */

static void on_written(struct commit *commit)
{
	struct session_change *change = commit->arg;
	struct err err = commit->err;
	bool has_failed = commit->outcome != COMMIT_OK;
	if (commit->outcome == COMMIT_REFUSED)
		(void)err_set(&err, ERR_NO_SESSION, NULL);
	journal_commit_free(commit);
	change_end(&change, has_failed ? &err : NULL);
}

/* In a committer thread. */
static int check_deleted(struct store_txn *t, struct commit *commit)
{
	const struct session_change *change = commit->arg;
	(void)t;
	return session_is_deleted(change->session);
}

/*
 * Any worker may do this while a turn runs or begins elsewhere, so the record
 * is written only if there is none.
 */
struct session_change *session_set_title(struct session *s, const char *title,
    size_t len, const char *caller, session_change_fn *fn, void *arg)
{
	struct session_change *change = change_new(s, fn, arg);
	struct commit *c = journal_commit(s->number, s->at, 0, COMMIT_IN_TURN);
	record_put_id(c, s);
	record_put_idle(c, s, caller, false);
	title_put(c, s, title, len);
	c->check = check_deleted;
	c->done = on_written;
	c->arg = change;
	journal_push(s->all->journal, c, true);
	return change;
}
