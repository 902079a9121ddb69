/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "store/store_int.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/conf.h"
#include "core/err.h"
#include "core/stat.h"

__attribute__((format(printf, 1, 2))) struct store_path store_path(
    const char *fmt, ...)
{
	struct store_path p;
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(p.text, sizeof p.text, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof p.text)
		fatal("store: a path is longer than %d bytes", PATH_MAX);
	return p;
}

struct store_path store_file(const char *dir, enum store_part part)
{
	return store_path("%s/%s", dir, store_file_name(part));
}

/* The lock file goes too: it belongs to the data file beside it. */
void store_remove_lock(const char *path)
{
	(void)unlink(store_path("%s-lock", path).text);
}

static void move_aside(const char *path, int rc)
{
	struct store_path aside =
	    store_path("%s.corrupt-%lld", path, (long long)clock_wall_ms());
	if (rename(path, aside.text) != 0)
		fatal("store: cannot move %s aside: %s", path, strerror(errno));
	store_remove_lock(path);
	log_error("store: %s cannot be read (%s); it was moved to %s and a new "
		  "one begins empty",
	    path, mdb_strerror(rc), aside.text);
}

static bool is_damage(int rc)
{
	return rc == MDB_INVALID || rc == MDB_CORRUPTED ||
	       rc == MDB_VERSION_MISMATCH || rc == MDB_PAGE_NOTFOUND ||
	       rc == MDB_PANIC;
}

static int open_part(struct store *s, enum store_part part, const char *dir,
    const struct conf *conf, bool is_keeper, struct err *err)
{
	struct store_path file = store_file(dir, part);
	const char *path = file.text;
	size_t size = (size_t)conf->store_size * 1024 * 1024;
	MDB_env **env = &s->parts[part].env;
	int rc = store_env_open(env, path, size, part == STORE_FACTS);
	if (is_damage(rc) && is_keeper) {
		move_aside(path, rc);
		rc = store_env_open(env, path, size, part == STORE_FACTS);
	}
	if (rc)
		return store_error(err, path, rc);
	return 0;
}

static int open_table(struct store *s, enum store_table table, bool may_create)
{
	struct part *part = store_part(s, store_part_of(table));
	MDB_txn *txn;
	int rc =
	    mdb_txn_begin(part->env, NULL, may_create ? 0 : MDB_RDONLY, &txn);
	if (rc)
		return rc;
	rc = mdb_dbi_open(txn, store_table_name(table),
	    may_create ? MDB_CREATE : 0, &s->tables[table]);
	if (!rc)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return rc;
}

static int open_tables(struct store *s, bool is_keeper, struct err *err)
{
	for (int i = 0; i < TABLE_COUNT; i++) {
		int rc = open_table(s, i, is_keeper);
		/* The store of an older program, which a new one takes over. */
		if (rc == MDB_NOTFOUND)
			rc = open_table(s, i, true);
		if (rc)
			return store_error(err, store_table_name(i), rc);
	}
	return 0;
}

static int cannot_move(
    struct err *err, const char *dir, const char *was, int rc)
{
	stat_add(store_errors, 1);
	return err_set(err, ERR_STORE,
	    "store: the facts in %s cannot be moved to where this durability "
	    "keeps them (%s): set durability: %s again, or a larger store_size",
	    dir, store_reason(rc), was);
}

/* With the facts in the journal's file there is no other one. */
static int gather_facts(
    struct store *s, const char *dir, const struct conf *conf, struct err *err)
{
	struct store_path file = store_file(dir, STORE_FACTS);
	struct part *old = &s->parts[STORE_FACTS];
	if (access(file.text, F_OK) != 0)
		return 0;
	if (open_part(s, STORE_FACTS, dir, conf, true, err) != 0)
		return -1;
	int rc = store_move_facts(old->env, s->parts[STORE_JOURNAL].env);
	mdb_env_close(old->env);
	old->env = NULL;
	if (rc)
		return cannot_move(err, dir, "power", rc);
	if (unlink(file.text) != 0)
		return err_set(err, ERR_STORE, "store: cannot remove %s: %s",
		    file.text, strerror(errno));
	store_remove_lock(file.text);
	log_info(
	    "store: the facts moved to %s", store_file_name(STORE_JOURNAL));
	return 0;
}

/* 'durability' may have changed since the last start: the facts follow. */
static int fetch_facts(
    struct store *s, const char *dir, const struct conf *conf, struct err *err)
{
	if (s->is_shared)
		return gather_facts(s, dir, conf, err);
	int rc = store_move_facts(
	    s->parts[STORE_JOURNAL].env, s->parts[STORE_FACTS].env);
	return rc ? cannot_move(err, dir, "process", rc) : 0;
}

static void close_envs(struct store *s)
{
	for (int i = 0; i < STORE_N_PARTS; i++) {
		if (s->parts[i].reader)
			mdb_txn_abort(s->parts[i].reader);
		if (s->parts[i].env)
			mdb_env_close(s->parts[i].env);
		s->parts[i] = (struct part){0};
	}
}

static int open_all(struct store *s, const char *dir, const struct conf *conf,
    bool is_keeper, struct err *err)
{
	s->is_shared = conf->durability == DURABLE_PROCESS;
	if (!s->is_shared &&
	    open_part(s, STORE_FACTS, dir, conf, is_keeper, err) != 0)
		return -1;
	if (open_part(s, STORE_JOURNAL, dir, conf, is_keeper, err) != 0)
		return -1;
	if (is_keeper && fetch_facts(s, dir, conf, err) != 0)
		return -1;
	return open_tables(s, is_keeper, err);
}

static int open_marked(struct store *s, const char *dir,
    const struct conf *conf, bool is_keeper, struct err *err)
{
	if (is_keeper && store_mark_renew(dir, err) != 0)
		return -1;
	if (!store_mark_read(dir, &s->epoch))
		return err_set(
		    err, ERR_STORE, "store: %s/journal.mark is missing", dir);
	return open_all(s, dir, conf, is_keeper, err);
}

struct store *store_open(
    const struct conf *conf, bool is_keeper, struct err *err)
{
	struct store_path folder = store_path("%s/store", conf->co_dir);
	const char *dir = folder.text;
	if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
		err_set(err, ERR_STORE, "store: cannot make %s: %s", dir,
		    strerror(errno));
		return NULL;
	}
	struct store *s = mem_zero(sizeof *s);
	if (open_marked(s, dir, conf, is_keeper, err) == 0)
		return s;
	store_close(&s);
	return NULL;
}

void store_close(struct store **s)
{
	if (!*s)
		return;
	close_envs(*s);
	free(*s);
	*s = NULL;
}
