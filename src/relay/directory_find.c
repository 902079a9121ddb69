/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/clock.h"
#include "core/err.h"
#include "relay/directory_int.h"
#include "relay/find_words.h"

#include <stdlib.h>
#include <string.h>

/* The most matches that are ranked, and how long a search may take. */
#define CANDIDATES 2000
#define FIND_US 250000

/* What is better than all matches of another kind. */
#define ALL_WORDS (-1e6)

/* A match: the number of a record, and how good it is. */
struct match {
	int64_t id;
	double score;
};

struct matches {
	struct match list[DIRECTORY_HITS]; /* best first */
	int n;
};

static bool has_match(const struct matches *m, int64_t id)
{
	for (int i = 0; i < m->n; i++)
		if (m->list[i].id == id)
			return true;
	return false;
}

/* Keep the best; of two with the same score, the newer record. */
static void add_match(struct matches *m, int64_t id, double score)
{
	int at = m->n;
	if (has_match(m, id))
		return;
	while (at > 0 && score < m->list[at - 1].score)
		at--;
	if (at == DIRECTORY_HITS)
		return;
	if (m->n < DIRECTORY_HITS)
		m->n++;
	memmove(&m->list[at + 1], &m->list[at],
	    (size_t)(m->n - 1 - at) * sizeof *m->list);
	m->list[at] = (struct match){id, score};
}

/* Returns false on failure; a search that takes too long ends early. */
static bool collect(struct directory *d, struct matches *m, const char *query,
    const char *join, double base)
{
	struct buf expression = {0};
	bool ok = true;
	if (find_words_query(&expression, query, strlen(query), join) > 0) {
		sqlite3_stmt *s = directory_statement(d, DO_FIND);
		int rc = SQLITE_ERROR;
		if (s) {
			directory_bind(s, 1, buf_cstr(&expression));
			(void)sqlite3_bind_int64(s, 2, CANDIDATES);
		}
		while (s && (rc = sqlite3_step(s)) == SQLITE_ROW)
			add_match(m, sqlite3_column_int64(s, 0),
			    base + sqlite3_column_double(s, 1));
		(void)sqlite3_reset(s);
		ok = rc == SQLITE_DONE || rc == SQLITE_INTERRUPT;
	}
	buf_fini(&expression);
	return ok;
}

static bool read_hit(
    struct directory *d, const struct match *m, struct directory_hit *hit)
{
	sqlite3_stmt *s = directory_statement(d, DO_FOUND);
	if (!s)
		return false;
	(void)sqlite3_bind_int64(s, 1, m->id);
	bool is_there = sqlite3_step(s) == SQLITE_ROW;
	if (is_there)
		*hit = (struct directory_hit){
		    .record = {.address = directory_column(s, 0),
			.seen_ms = sqlite3_column_int64(s, 1),
			.source = directory_column(s, 2),
			.summary = directory_column(s, 3),
			.endpoints = directory_column(s, 4),
			.profile = directory_column(s, 5)},
		    .score = m->score,
		};
	(void)sqlite3_reset(s);
	return is_there;
}

int directory_find(struct directory *d, const char *query,
    struct directory_hit hits[DIRECTORY_HITS], struct err *err)
{
	struct matches m = {.n = 0};
	int n = 0;
	(void)pthread_mutex_lock(&d->mutex);
	d->stop_us = clock_steady_us() + FIND_US;
	bool ok = collect(d, &m, query, "AND", ALL_WORDS) &&
		  (m.n == DIRECTORY_HITS || collect(d, &m, query, "OR", 0));
	d->stop_us = 0;
	for (int i = 0; ok && i < m.n; i++)
		n += read_hit(d, &m.list[i], &hits[n]);
	if (!ok)
		n = directory_fail(d, "search", err);
	(void)pthread_mutex_unlock(&d->mutex);
	return n;
}
