/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "core/param.h"

#include "base/buf.h"
#include "base/mem.h"
#include "core/err.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *field(void *settings, size_t at)
{
	return (char *)settings + at;
}

static const void *field_const(const void *settings, size_t at)
{
	return (const char *)settings + at;
}

static bool param_is_text(const struct param *p)
{
	return p->type == PARAM_STR || p->type == PARAM_JSON;
}

static void set_where(const struct param_table *t, void *settings,
    const struct param *p, const char *where)
{
	if (t->where_at)
		param_own(
		    (char **)field(settings, t->where_at) + (p - t->params),
		    where);
}

const char *param_where(
    const struct param_table *t, const void *settings, const struct param *p)
{
	char *const *all = field_const(settings, t->where_at);
	return t->where_at ? all[p - t->params] : "";
}

void param_init(const struct param_table *t, void *settings)
{
	struct err err;
	memset(settings, 0, t->size);
	for (size_t i = 0; i < t->n_found; i++)
		param_own(field(settings, t->found[i].at), "");
	for (size_t i = 0; i < t->n_params; i++)
		set_where(t, settings, &t->params[i], "");
	for (size_t i = 0; i < t->n_params; i++)
		(void)param_value_set(t, settings, &t->params[i], "default",
		    t->params[i].preset, &err);
}

void param_fini(const struct param_table *t, void *settings)
{
	for (size_t i = 0; i < t->n_params; i++)
		if (param_is_text(&t->params[i]))
			free(*(char **)field(settings, t->params[i].at));
	for (size_t i = 0; i < t->n_found; i++)
		free(*(char **)field(settings, t->found[i].at));
	for (size_t i = 0; t->where_at && i < t->n_params; i++)
		free(((char **)field(settings, t->where_at))[i]);
	memset(settings, 0, t->size);
}

/* ---- finding a setting ---- */

const struct param *param_find(const struct param_table *t, const char *key)
{
	for (size_t i = 0; i < t->n_params; i++)
		if (strcmp(t->params[i].key, key) == 0)
			return &t->params[i];
	return NULL;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Returns the edit distance between two short words (Levenshtein). */
static size_t distance(const char *a, const char *b)
{
	enum { MOST = 64 };
	size_t n = strlen(b), row[MOST + 1];
	if (n > MOST || strlen(a) > MOST)
		return MOST;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t corner = row[0];
		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t up = row[j];
			size_t swap = corner + (a[i - 1] != b[j - 1]);
			row[j] = least(least(up, row[j - 1]) + 1, swap);
			corner = up;
		}
	}
	return row[n];
}

/*
 * Returns the key that is spelled most like this one, or NULL if none is near:
 * two letters may differ, or a third of a longer word.
 */
static const char *nearest(const struct param_table *t, const char *key)
{
	const char *best = NULL;
	size_t len = strlen(key);
	size_t least_so_far = (len < 9 ? 2 : len / 3) + 1;
	for (size_t i = 0; i < t->n_params; i++) {
		size_t d = distance(key, t->params[i].key);
		if (d < least_so_far) {
			least_so_far = d;
			best = t->params[i].key;
		}
	}
	return len > 2 ? best : NULL;
}

void param_put_unknown(
    struct buf *out, const struct param_table *t, const char *key)
{
	const char *near = nearest(t, key);
	buf_printf(out, "there is no setting %.60s", key);
	if (near)
		buf_printf(out, "; did you mean %s?", near);
}

int param_refuse_key(const struct param_table *t, const char *where,
    const char *key, struct err *err)
{
	struct buf why = {0};
	param_put_unknown(&why, t, key);
	(void)err_set(err, ERR_CONFIG, "%s: %s", where, buf_cstr(&why));
	buf_fini(&why);
	return -1;
}

/* ---- setting it ---- */

enum param_rank param_rank(
    const struct param_table *t, const void *settings, const struct param *p)
{
	const unsigned char *rank = field_const(settings, t->rank_at);
	return (enum param_rank)rank[p - t->params];
}

int param_put(const struct param_table *t, void *settings, enum param_rank rank,
    const char *where, const struct param *p, const char *value,
    struct err *err)
{
	unsigned char *ranks = field(settings, t->rank_at);
	if (param_rank(t, settings, p) > rank)
		return 0;
	if (param_value_set(t, settings, p, where, value, err) != 0)
		return -1;
	ranks[p - t->params] = (unsigned char)rank;
	set_where(t, settings, p, where);
	return 0;
}

/* ---- reloading ---- */

bool param_is_same(const struct param *p, const void *a, const void *b)
{
	const void *x = field_const(a, p->at), *y = field_const(b, p->at);
	if (param_is_text(p))
		return strcmp(*(char *const *)x, *(char *const *)y) == 0;
	return memcmp(x, y, p->size) == 0;
}

static void copy(void *to, const void *from, const struct param *p)
{
	void *x = field(to, p->at);
	const void *y = field_const(from, p->at);
	if (param_is_text(p))
		param_own(x, *(char *const *)y);
	else
		memcpy(x, y, p->size);
}

void param_keep_fixed(const struct param_table *t, void *now, const void *was,
    param_kept_fn *on_kept, void *arg)
{
	for (size_t i = 0; i < t->n_params; i++) {
		const struct param *p = &t->params[i];
		if (p->change != CHANGE_FIXED || param_is_same(p, now, was))
			continue;
		copy(now, was, p);
		set_where(t, now, p, param_where(t, was, p));
		on_kept(p->key, arg);
	}
}

/* ---- passing on ---- */

static char *enum_word(const struct param *p, int value)
{
	const char *s = p->unit;
	for (int i = value; i > 0; i--)
		s = strchr(s, '|') + 1;
	return mem_strndup(s, strcspn(s, "|"));
}

/* Append the text that param_value_set() takes. */
static void put_text(
    struct buf *out, const void *settings, const struct param *p)
{
	const void *at = field_const(settings, p->at);
	switch (p->type) {
	case PARAM_INT:
		buf_int(out, *(const int64_t *)at);
		break;
	case PARAM_BOOL:
		buf_str(out, *(const bool *)at ? "true" : "false");
		break;
	case PARAM_ENUM: {
		char *word = enum_word(p, *(const int *)at);
		buf_str(out, word);
		free(word);
		break;
	}
	case PARAM_STR:
	case PARAM_JSON:
		buf_str(out, *(char *const *)at);
		break;
	}
}

void param_put_json(
    struct buf *out, const void *settings, const struct param *p)
{
	struct buf text = {0};
	put_text(&text, settings, p);
	if (p->type == PARAM_STR || p->type == PARAM_ENUM)
		buf_json(out, text.data, text.len);
	else if (text.len)
		buf_append(out, text.data, text.len);
	else
		buf_str(out, "null");
	buf_fini(&text);
}

static void put_string(struct buf *out, const char *s)
{
	buf_append(out, s, strlen(s) + 1);
}

/* A line is three strings: key, value, and rank (a digit) with its place. */
static void put_param(struct buf *out, const struct param_table *t,
    const void *settings, const struct param *p)
{
	put_string(out, p->key);
	put_text(out, settings, p);
	buf_char(out, '\0');
	buf_int(out, param_rank(t, settings, p));
	put_string(out, param_where(t, settings, p));
}

static void put_found(
    struct buf *out, const void *settings, const struct param_found *f)
{
	put_string(out, f->key);
	put_string(out, *(char *const *)field_const(settings, f->at));
	put_string(out, "");
}

int param_save(const struct param_table *t, const void *settings, int fd)
{
	struct buf out = {0};
	for (size_t i = 0; i < t->n_params; i++)
		put_param(&out, t, settings, &t->params[i]);
	for (size_t i = 0; i < t->n_found; i++)
		put_found(&out, settings, &t->found[i]);
	ssize_t n = pwrite(fd, out.data, out.len, 0);
	bool ok = n == (ssize_t)out.len;
	buf_fini(&out);
	return ok ? 0 : -1;
}

#define INHERITED "inherited settings"

static enum param_rank rank_of(const char *source)
{
	int rank = *source - '0';
	return rank >= RANK_DEFAULT && rank <= RANK_OPTION
		   ? (enum param_rank)rank
		   : RANK_OPTION;
}

/*
 * source is the rank and the place. In an upgrade, the program that wrote this
 * may have settings that we do not have.
 */
static int load_line(const struct param_table *t, void *settings,
    const char *key, const char *value, const char *source, struct err *err)
{
	for (size_t i = 0; i < t->n_found; i++)
		if (strcmp(t->found[i].key, key) == 0) {
			param_own(field(settings, t->found[i].at), value);
			return 0;
		}
	const struct param *p = param_find(t, key);
	if (!p)
		return 0;
	if (param_put(t, settings, rank_of(source), INHERITED, p, value, err) !=
	    0)
		return -1;
	set_where(t, settings, p, *source ? source + 1 : "");
	return 0;
}

/* Returns the string after s, or NULL if it begins at the end. */
static const char *next_string(const char *s, const char *end)
{
	const char *next = s ? s + strlen(s) + 1 : end;
	return next < end ? next : NULL;
}

static int load_lines(const struct param_table *t, void *settings,
    const char *p, const char *end, struct err *err)
{
	while (p && p < end) {
		const char *value = next_string(p, end);
		const char *source = next_string(value, end);
		if (!source)
			return err_set(err, ERR_CONFIG, INHERITED " end early");
		if (load_line(t, settings, p, value, source, err) != 0)
			return -1;
		p = next_string(source, end);
	}
	return 0;
}

int param_load(
    const struct param_table *t, void *settings, int fd, struct err *err)
{
	struct buf text = {0};
	ssize_t n;
	int rc = 0;
	while ((n = pread(
		    fd, buf_reserve(&text, 4096), 4096, (off_t)text.len)) > 0)
		text.len += (size_t)n;
	if (n < 0)
		rc =
		    err_set(err, ERR_CONFIG, INHERITED ": %s", strerror(errno));
	if (rc == 0 && text.len && text.data[text.len - 1])
		rc = err_set(err, ERR_CONFIG, INHERITED " end early");
	const char *p = buf_cstr(&text);
	if (rc == 0)
		rc = load_lines(t, settings, p, p + text.len, err);
	buf_fini(&text);
	return rc;
}
