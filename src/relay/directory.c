/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "relay/directory.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/err.h"
#include "identity/signed.h"
#include "relay/directory_int.h"
#include "relay/relay_stat.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The format of the file (PRAGMA user_version). */
#define FORMAT 1
#define NAME_OF_FORMAT "1"

/* How long a writer waits for others. */
#define BUSY_MS 10000

static const char schema[] =
    "PRAGMA journal_mode=WAL;"
    "BEGIN IMMEDIATE;"
    "CREATE TABLE IF NOT EXISTS agents("
    " id INTEGER PRIMARY KEY, address TEXT NOT NULL UNIQUE,"
    " seen_ms INTEGER NOT NULL, source TEXT,"
    " summary TEXT, endpoints TEXT, relay TEXT,"
    " profile TEXT, profile_signature TEXT,"
    " published TEXT, published_signature TEXT,"
    " revision INTEGER NOT NULL DEFAULT 0,"
    " announced REAL NOT NULL DEFAULT 0, digest BLOB, announce TEXT,"
    " older REAL NOT NULL DEFAULT 0, older_announce TEXT);"
    "CREATE INDEX IF NOT EXISTS agents_seen ON agents(seen_ms);"
    "CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5("
    " name, skills, tools, summary,"
    " tokenize='porter unicode61 remove_diacritics 2');"
    "PRAGMA user_version=" NAME_OF_FORMAT ";"
    "COMMIT;";

static const char *const texts[DIRECTORY_STATEMENTS] = {
    [DO_BEGIN] = "BEGIN IMMEDIATE",
    [DO_COMMIT] = "COMMIT",
    [DO_ROLLBACK] = "ROLLBACK",
    [DO_GET] =
	"SELECT address, seen_ms, source, summary, endpoints, relay, profile,"
	" profile_signature, published, published_signature, revision,"
	" announced, digest, announce, older_announce, id"
	" FROM agents WHERE address = ?",
    [DO_INSERT] = "INSERT INTO agents(address, seen_ms) VALUES(?, ?)"
		  " ON CONFLICT DO NOTHING",
    [DO_SEEN] =
	"UPDATE agents SET seen_ms = max(seen_ms, ?2) WHERE address = ?1",
    [DO_SAY] =
	"UPDATE agents SET source = ?2, summary = ?3, endpoints = ?4,"
	" relay = ?5, profile = ?6, profile_signature = ?7,"
	" older = iif(announced < ?11, announced, older),"
	" older_announce = iif(announced < ?11, announce, older_announce),"
	" announced = ?8, digest = ?9, announce = ?10 WHERE address = ?1",
    [DO_PUBLISH] = "UPDATE agents SET published = ?2, published_signature = ?3,"
		   " revision = ?4 WHERE address = ?1 AND revision <= ?4",
    [DO_UNINDEX] = "DELETE FROM words WHERE rowid = ?",
    [DO_INDEX] = "INSERT INTO words(rowid, name, skills, tools, summary)"
		 " VALUES(?, ?, ?, ?, ?)",
    [DO_COUNT] = "SELECT count(*) FROM agents",
    [DO_OLDEST] = "SELECT id, seen_ms FROM agents ORDER BY seen_ms LIMIT ?",
    [DO_DELETE] = "DELETE FROM agents WHERE id = ?",
    /* The newest records are candidates; there may be any number of others. */
    [DO_FIND] = "SELECT rowid, bm25(words, 10.0, 5.0, 4.0, 2.0) FROM words"
		" WHERE words MATCH ? ORDER BY rowid DESC LIMIT ?",
    [DO_FOUND] = "SELECT address, seen_ms, source, summary, endpoints, profile"
		 " FROM agents WHERE id = ?",
};

/* ---- statements ---- */

int directory_fail(struct directory *d, const char *what, struct err *err)
{
	relay_stat_add(directory_errors, 1);
	return err_set(err, ERR_STORE, "directory: cannot %s: %s", what,
	    d->db ? sqlite3_errmsg(d->db) : "out of memory");
}

sqlite3_stmt *directory_statement(
    struct directory *d, enum directory_statement which)
{
	sqlite3_stmt **s = &d->statements[which];
	if (!*s && sqlite3_prepare_v3(d->db, texts[which], -1,
		       SQLITE_PREPARE_PERSISTENT, s, NULL) != SQLITE_OK)
		return NULL;
	(void)sqlite3_reset(*s); /* it reports the last failure again */
	(void)sqlite3_clear_bindings(*s);
	return *s;
}

void directory_bind(sqlite3_stmt *s, int i, const char *text)
{
	(void)sqlite3_bind_text(s, i, text, -1, SQLITE_STATIC);
}

void directory_bind_span(sqlite3_stmt *s, int i, struct span text)
{
	(void)sqlite3_bind_text64(
	    s, i, text.text, text.len, SQLITE_STATIC, SQLITE_UTF8);
}

bool directory_run(sqlite3_stmt *s)
{
	if (!s)
		return false;
	int rc;
	do
		rc = sqlite3_step(s);
	while (rc == SQLITE_ROW);
	(void)sqlite3_reset(s);
	return rc == SQLITE_DONE;
}

char *directory_column(sqlite3_stmt *s, int i)
{
	const unsigned char *text = sqlite3_column_text(s, i);
	return text ? mem_strdup((const char *)text) : NULL;
}

/* ---- opening ---- */

/* Called every few thousand steps of a statement: whether to give it up. */
static int is_too_late(void *arg)
{
	const struct directory *d = arg;
	return d->stop_us && clock_steady_us() > d->stop_us;
}

static struct directory *new_connection(
    const char *path, int flags, struct err *err)
{
	struct directory *d = mem_zero(sizeof *d);
	(void)pthread_mutex_init(&d->mutex, NULL); /* cannot fail */
	if (sqlite3_open_v2(path, &d->db, flags | SQLITE_OPEN_NOMUTEX, NULL) !=
	    SQLITE_OK) {
		(void)directory_fail(d, "open its file", err);
		directory_close(&d);
		return NULL;
	}
	(void)sqlite3_busy_timeout(d->db, BUSY_MS);
	sqlite3_progress_handler(d->db, 1000, is_too_late, d);
	return d;
}

struct directory *directory_open(const char *path, struct err *err)
{
	struct directory *d = new_connection(path, SQLITE_OPEN_READWRITE, err);
	/* A power failure may cost the last records, never the file. */
	if (d && sqlite3_exec(d->db, "PRAGMA synchronous=NORMAL", NULL, NULL,
		     NULL) != SQLITE_OK) {
		(void)directory_fail(d, "use its file", err);
		directory_close(&d);
	}
	return d;
}

void directory_close(struct directory **dp)
{
	struct directory *d = *dp;
	if (!d)
		return;
	*dp = NULL;
	for (int i = 0; i < DIRECTORY_STATEMENTS; i++)
		(void)sqlite3_finalize(d->statements[i]);
	(void)sqlite3_close(d->db);
	(void)pthread_mutex_destroy(&d->mutex);
	free(d);
}

static int read_format(struct directory *d)
{
	sqlite3_stmt *s = NULL;
	int format = -1;
	if (sqlite3_prepare_v2(d->db, "PRAGMA user_version", -1, &s, NULL) ==
		SQLITE_OK &&
	    sqlite3_step(s) == SQLITE_ROW)
		format = sqlite3_column_int(s, 0);
	(void)sqlite3_finalize(s);
	return format;
}

/* Returns SQLITE_OK, or why the file cannot be used. */
static int make_tables(const char *path, struct err *err)
{
	struct directory *d = new_connection(
	    path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, err);
	if (!d)
		return SQLITE_CANTOPEN;
	int format = read_format(d), rc = SQLITE_OK;
	if (format < 0 || format > FORMAT)
		rc = format < 0 ? sqlite3_errcode(d->db) : SQLITE_MISMATCH;
	else
		rc = sqlite3_exec(d->db, schema, NULL, NULL, NULL);
	if (rc == SQLITE_MISMATCH)
		(void)err_set(err, ERR_CONFIG,
		    "%s was written by a later release: use that, or name "
		    "another folder (-d)",
		    path);
	else if (rc != SQLITE_OK)
		(void)err_set(
		    err, ERR_CONFIG, "%s: %s", path, sqlite3_errmsg(d->db));
	directory_close(&d);
	return rc;
}

/* Agents come back by themselves, so a damaged file must not stop the relay. */
static int move_aside(const char *path, struct err *err)
{
	struct buf to = {0};
	buf_printf(&to, "%s.damaged", path);
	int rc = rename(path, buf_cstr(&to));
	log_error("directory: %s is damaged: moved to %s", path, buf_cstr(&to));
	buf_reset(&to);
	buf_printf(&to, "%s-wal", path);
	(void)unlink(buf_cstr(&to)); /* it belongs to the damaged file */
	buf_reset(&to);
	buf_printf(&to, "%s-shm", path);
	(void)unlink(buf_cstr(&to));
	buf_fini(&to);
	return rc == 0 ? 0
		       : err_set(err, ERR_CONFIG, "%s: cannot be moved: %s",
			     path, strerror(errno));
}

int directory_prepare(const char *path, struct err *err)
{
	int rc = make_tables(path, err);
	if (rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB) {
		if (move_aside(path, err) != 0)
			return -1;
		rc = make_tables(path, err);
	}
	return rc == SQLITE_OK ? 0 : -1;
}

/* ---- records ---- */

static void read_record(
    sqlite3_stmt *s, double now, struct directory_record *out)
{
	*out = (struct directory_record){
	    .address = directory_column(s, 0),
	    .seen_ms = sqlite3_column_int64(s, 1),
	    .source = directory_column(s, 2),
	    .summary = directory_column(s, 3),
	    .endpoints = directory_column(s, 4),
	    .relay = directory_column(s, 5),
	    .profile = directory_column(s, 6),
	    .profile_signature = directory_column(s, 7),
	    .published = directory_column(s, 8),
	    .published_signature = directory_column(s, 9),
	    .revision = sqlite3_column_int64(s, 10),
	    .announced = sqlite3_column_double(s, 11),
	};
	if (sqlite3_column_bytes(s, 12) == DIGEST_SIZE)
		memcpy(out->digest, sqlite3_column_blob(s, 12), DIGEST_SIZE);
	bool is_over = out->announced < now - SIGNED_WINDOW;
	out->signed_text = directory_column(s, is_over ? 13 : 14);
}

int directory_get(struct directory *d, const char *address, double now,
    struct directory_record *out, struct err *err)
{
	(void)pthread_mutex_lock(&d->mutex);
	sqlite3_stmt *s = directory_statement(d, DO_GET);
	int rc = SQLITE_ERROR;
	if (s) {
		directory_bind(s, 1, address);
		rc = sqlite3_step(s);
		if (rc == SQLITE_ROW)
			read_record(s, now, out);
		(void)sqlite3_reset(s);
	}
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		(void)directory_fail(d, "read a record", err);
	(void)pthread_mutex_unlock(&d->mutex);
	return rc == SQLITE_ROW ? 1 : rc == SQLITE_DONE ? 0 : -1;
}

void directory_free(struct directory_record *r)
{
	char *const texts_of[] = {r->address, r->source, r->summary,
	    r->endpoints, r->relay, r->profile, r->profile_signature,
	    r->published, r->published_signature, r->signed_text};
	for (size_t i = 0; i < sizeof texts_of / sizeof *texts_of; i++)
		free(texts_of[i]);
	*r = (struct directory_record){0};
}
