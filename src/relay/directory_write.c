/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/json.h"
#include "core/err.h"
#include "identity/signed.h"
#include "relay/directory_int.h"
#include "relay/find_words.h"
#include "relay/relay_stat.h"

#include <stdlib.h>
#include <string.h>

/* Of each kind of text, this much is indexed, in bytes. */
#define MOST_WORDS 8192

/* ---- one record ---- */

static bool see(struct directory *d, const struct directory_change *c)
{
	static const enum directory_statement both[] = {DO_INSERT, DO_SEEN};
	/* An agent that was only seen has a record, or deserves none. */
	for (int i = c->announce ? 0 : 1; i < 2; i++) {
		sqlite3_stmt *s = directory_statement(d, both[i]);
		if (!s)
			return false;
		directory_bind(s, 1, c->address);
		(void)sqlite3_bind_int64(s, 2, c->seen_ms);
		if (!directory_run(s))
			return false;
	}
	return true;
}

static bool publish(struct directory *d, const struct directory_change *c)
{
	const struct announced *a = c->announce;
	sqlite3_stmt *s = directory_statement(d, DO_PUBLISH);
	if (!s)
		return false;
	directory_bind(s, 1, c->address);
	directory_bind_span(s, 2, a->profile);
	directory_bind_span(s, 3, a->profile_signature);
	(void)sqlite3_bind_int64(s, 4, a->revision);
	return directory_run(s);
}

static bool say(struct directory *d, const struct directory_change *c)
{
	const struct announced *a = c->announce;
	sqlite3_stmt *s = directory_statement(d, DO_SAY);
	if (!s)
		return false;
	directory_bind(s, 1, c->address);
	directory_bind(s, 2, c->source);
	directory_bind_span(s, 3, a->summary);
	directory_bind_span(s, 4, a->endpoints);
	directory_bind_span(s, 5, a->relay);
	directory_bind_span(s, 6, a->profile);
	directory_bind_span(s, 7, a->profile_signature);
	(void)sqlite3_bind_double(s, 8, a->timestamp);
	(void)sqlite3_bind_blob(
	    s, 9, a->digest, sizeof a->digest, SQLITE_STATIC);
	directory_bind_span(s, 10, (struct span){a->text.data, a->text.len});
	/* The last ANNOUNCE is kept as the older one once it is too old. */
	(void)sqlite3_bind_double(
	    s, 11, (double)c->seen_ms / 1000 - SIGNED_WINDOW);
	return directory_run(s);
}

/* ---- its words ---- */

struct texts {
	struct buf name;
	struct buf skills;
	struct buf tools;
	struct buf summary;
};

/* Skills may have bodies and files, which are not words about the agent. */
static void put_skills(struct buf *out, const struct json *skills)
{
	static const char *const parts[] = {"name", "description"};
	for (const struct json *v = json_first(skills); v; v = json_next(v)) {
		if (json_is(v, JSON_STRING))
			find_words_put_json(out, v, MOST_WORDS);
		for (int i = 0; json_is(v, JSON_OBJECT) && i < 2; i++)
			find_words_put_json(
			    out, json_get(v, parts[i]), MOST_WORDS);
	}
}

static void put_profile(struct texts *t, const char *text)
{
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *p =
	    text ? json_parse(&doc, text, strlen(text), 0, &why) : NULL;
	if (json_is(p, JSON_OBJECT)) {
		find_words_put_json(&t->name, json_get(p, "alias"), MOST_WORDS);
		put_skills(&t->skills, json_get(p, "skills"));
		put_skills(&t->tools, json_get(p, "tools"));
		find_words_put_json(
		    &t->summary, json_get(p, "bio"), MOST_WORDS);
	}
	json_fini(&doc);
}

static void put_summary(struct texts *t, const char *text)
{
	struct json_doc doc = {0};
	struct json_error why;
	find_words_put_json(&t->summary,
	    text ? json_parse(&doc, text, strlen(text), 0, &why) : NULL,
	    MOST_WORDS);
	json_fini(&doc);
}

static bool index_texts(struct directory *d, int64_t id, struct texts *t)
{
	struct buf *const columns[] = {
	    &t->name, &t->skills, &t->tools, &t->summary};
	sqlite3_stmt *s = directory_statement(d, DO_UNINDEX);
	if (!s)
		return false;
	(void)sqlite3_bind_int64(s, 1, id);
	if (!directory_run(s) || !(s = directory_statement(d, DO_INDEX)))
		return false;
	(void)sqlite3_bind_int64(s, 1, id);
	for (int i = 0; i < 4; i++)
		directory_bind(s, 2 + i, buf_cstr(columns[i]));
	return directory_run(s);
}

/* Index what the record says now. */
static bool index_record(struct directory *d, const char *address)
{
	struct texts t = {0};
	sqlite3_stmt *s = directory_statement(d, DO_GET);
	if (!s)
		return false;
	directory_bind(s, 1, address);
	bool ok = sqlite3_step(s) == SQLITE_ROW;
	int64_t id = 0;
	if (ok) {
		id = sqlite3_column_int64(s, 15);
		put_summary(&t, (const char *)sqlite3_column_text(s, 3));
		put_profile(&t, (const char *)sqlite3_column_text(s, 6));
		put_profile(&t, (const char *)sqlite3_column_text(s, 8));
	}
	(void)sqlite3_reset(s);
	ok = ok && index_texts(d, id, &t);
	buf_fini(&t.name);
	buf_fini(&t.skills);
	buf_fini(&t.tools);
	buf_fini(&t.summary);
	return ok;
}

/* ---- transactions ---- */

static bool make_change(struct directory *d, const struct directory_change *c)
{
	const struct announced *a = c->announce;
	if (!see(d, c))
		return false;
	if (!a)
		return true;
	bool is_apart = c->has_host && a->is_attested && !a->has_endpoints;
	if (a->is_attested && !publish(d, c))
		return false;
	if (!is_apart && !say(d, c))
		return false;
	return index_record(d, c->address);
}

/* The failure stays readable: a rollback must not replace it. */
static int give_up(struct directory *d, const char *what, struct err *err)
{
	(void)directory_fail(d, what, err);
	(void)directory_run(directory_statement(d, DO_ROLLBACK));
	return -1;
}

static int write_changes(struct directory *d, const struct directory_change *c,
    size_t n, struct err *err)
{
	if (!directory_run(directory_statement(d, DO_BEGIN)))
		return directory_fail(d, "begin to write", err);
	int64_t n_records = 0;
	for (size_t i = 0; i < n; i++) {
		if (!make_change(d, &c[i]))
			return give_up(d, "write a record", err);
		n_records += c[i].announce != NULL;
	}
	if (!directory_run(directory_statement(d, DO_COMMIT)))
		return give_up(d, "commit", err);
	relay_stat_add(records_written, n_records);
	return 0;
}

int directory_write(struct directory *d, const struct directory_change *changes,
    size_t n, struct err *err)
{
	(void)pthread_mutex_lock(&d->mutex);
	int rc = write_changes(d, changes, n, err);
	(void)pthread_mutex_unlock(&d->mutex);
	return rc;
}

/* ---- expiry ---- */

static int64_t count(struct directory *d)
{
	sqlite3_stmt *s = directory_statement(d, DO_COUNT);
	int64_t n =
	    s && sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
	(void)sqlite3_reset(s);
	return n;
}

static bool delete_one(struct directory *d, int64_t id)
{
	static const enum directory_statement both[] = {DO_UNINDEX, DO_DELETE};
	for (int i = 0; i < 2; i++) {
		sqlite3_stmt *s = directory_statement(d, both[i]);
		if (!s)
			return false;
		(void)sqlite3_bind_int64(s, 1, id);
		if (!directory_run(s))
			return false;
	}
	return true;
}

static int64_t delete_oldest(
    struct directory *d, int64_t seen_ms, int64_t too_many, int64_t step)
{
	int64_t n = 0;
	sqlite3_stmt *s = directory_statement(d, DO_OLDEST);
	if (!s)
		return -1;
	(void)sqlite3_bind_int64(s, 1, step);
	while (sqlite3_step(s) == SQLITE_ROW &&
	       (n < too_many || sqlite3_column_int64(s, 1) < seen_ms)) {
		if (!delete_one(d, sqlite3_column_int64(s, 0)))
			n = -1;
		if (n < 0)
			break;
		n++;
	}
	(void)sqlite3_reset(s);
	return n;
}

int64_t directory_expire(struct directory *d, int64_t seen_ms, int64_t most,
    int64_t step, struct err *err)
{
	int64_t n = -1;
	(void)pthread_mutex_lock(&d->mutex);
	if (!directory_run(directory_statement(d, DO_BEGIN)))
		(void)directory_fail(d, "begin to delete", err);
	else if ((n = delete_oldest(d, seen_ms, count(d) - most, step)) < 0)
		(void)give_up(d, "delete records", err);
	else if (!directory_run(directory_statement(d, DO_COMMIT)))
		n = give_up(d, "commit", err);
	(void)pthread_mutex_unlock(&d->mutex);
	if (n > 0)
		relay_stat_add(records_expired, n);
	return n;
}
