/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "store/store_int.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/conf.h"
#include "core/err.h"
#include "core/stat.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A store that is being opened. */
struct opening {
	struct store *store;
	const char *dir;
	const struct conf *conf;
	bool is_keeper;
	int rc; /* the LMDB error that ended it, if any */
};

static int store_open_fail(
    struct opening *o, const char *what, int rc, struct err *err)
{
	o->rc = rc;
	return store_error(err, what, rc);
}

static void move_aside(const char *path, int rc)
{
	struct store_path aside =
	    store_path("%s.corrupt-%lld", path, (long long)clock_wall_ms());
	if (rename(path, aside.text) != 0)
		fatal("store: cannot move %s aside: %s", path, strerror(errno));
	store_remove_lock(path);
	log_error("store: %s cannot be read (%s); it was moved to %s and "
		  "replaced by an empty one. To restore a backup, stop the "
		  "server and put it in its place",
	    path, mdb_strerror(rc), aside.text);
}

/* Whether the error is about this file, so that a new one would work. */
static bool is_of_the_file(int rc)
{
	static const int others[] = {ENOSPC, EDQUOT, ENOMEM, EMFILE, ENFILE,
	    EROFS, EAGAIN, ENOLCK, MDB_MAP_FULL, MDB_READERS_FULL};
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (rc == others[i])
			return false;
	return rc != 0;
}

static int open_file(struct opening *o, enum store_part part, const char *path)
{
	size_t size = (size_t)o->conf->store_size * 1024 * 1024;
	MDB_env **env = &o->store->parts[part].env;
	int rc = store_env_open(env, path, size, part == STORE_FACTS);
	if (!rc)
		rc = store_format_check(*env);
	if (!rc && o->is_keeper)
		rc = store_convert(*env);
	if (!rc && o->is_keeper)
		rc = store_format_put(*env);
	if (rc && *env) {
		mdb_env_close(*env);
		*env = NULL;
	}
	return rc;
}

static int open_part(struct opening *o, enum store_part part, struct err *err)
{
	struct store_path file = store_file(o->dir, part);
	if (o->is_keeper)
		store_meta_check(file.text);
	int rc = open_file(o, part, file.text);
	if (rc == STORE_NEWER)
		return store_format_refuse(file.text, err);
	if (store_is_damage(rc) && o->is_keeper &&
	    store_meta_fall_back(file.text))
		rc = open_file(o, part, file.text);
	if (store_is_damage(rc) && o->is_keeper) {
		move_aside(file.text, rc);
		rc = open_file(o, part, file.text);
	}
	if (rc)
		return store_open_fail(o, file.text, rc, err);
	if (!o->is_keeper && store_is_old(o->store->parts[part].env))
		return err_set(err, ERR_STORE,
		    "store: %s has the format of an older version, which the "
		    "next start of the server converts: stop it and start it",
		    file.text);
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
	rc = mdb_dbi_open(txn, store_stored_name(table),
	    may_create ? MDB_CREATE : 0, &s->tables[table]);
	if (!rc)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return rc;
}

static int open_tables(struct opening *o, enum store_part part, struct err *err)
{
	for (int i = 0; i < TABLE_COUNT; i++) {
		if (store_part_of(i) != part)
			continue;
		int rc = open_table(o->store, i, o->is_keeper);
		/* The store of an older program; a newer one adopts it. */
		if (rc == MDB_NOTFOUND)
			rc = open_table(o->store, i, true);
		if (rc)
			return store_open_fail(o, store_table_name(i), rc, err);
	}
	return 0;
}

static int cannot_move(
    struct opening *o, const char *was, int rc, struct err *err)
{
	o->rc = rc;
	stat_add(store_errors, 1);
	return err_set(err, ERR_STORE,
	    "store: the facts in %s cannot be moved to where this durability "
	    "keeps them (%s): set durability: %s again, or a larger store_size",
	    o->dir, store_reason(rc), was);
}

/* If the facts are in the journal's file, there is no other file. */
static int gather_facts(struct opening *o, struct err *err)
{
	struct store *s = o->store;
	struct store_path file = store_file(o->dir, STORE_FACTS);
	struct part *old = &s->parts[STORE_FACTS];
	if (access(file.text, F_OK) != 0)
		return 0;
	if (open_part(o, STORE_FACTS, err) != 0)
		return -1;
	int rc = store_move_facts(old->env, s->parts[STORE_JOURNAL].env);
	mdb_env_close(old->env);
	old->env = NULL;
	if (rc)
		return cannot_move(o, "power", rc, err);
	if (unlink(file.text) != 0)
		return err_set(err, ERR_STORE, "store: cannot remove %s: %s",
		    file.text, strerror(errno));
	store_remove_lock(file.text);
	log_info(
	    "store: moved the facts to %s", store_file_name(STORE_JOURNAL));
	return 0;
}

/* If 'durability' has changed since the last start, move the facts. */
static int fetch_facts(struct opening *o, struct err *err)
{
	struct store *s = o->store;
	if (s->is_shared)
		return gather_facts(o, err);
	int rc = store_move_facts(
	    s->parts[STORE_JOURNAL].env, s->parts[STORE_FACTS].env);
	return rc ? cannot_move(o, "process", rc, err) : 0;
}

static const char epoch_key[] = "epoch";

static bool read_epoch(struct store *s, uint64_t *epoch)
{
	struct store_txn t;
	struct store_span row;
	struct err err;
	store_read(s, &t, STORE_JOURNAL);
	bool found = store_get(&t, TABLE_NOTES, epoch_key, 5, &row) &&
		     row.len == sizeof *epoch;
	if (found)
		*epoch = store_number(row.data);
	return store_read_end(&t, &err) == 0 && found;
}

static int begin_epoch(struct opening *o, struct err *err)
{
	struct store *s = o->store;
	struct store_txn t;
	if (store_mark_epoch(o->dir, &s->epoch, err) != 0)
		return -1;
	struct store_key value = store_key1(s->epoch);
	store_write(s, &t, STORE_JOURNAL);
	store_put(&t, TABLE_NOTES, epoch_key, 5, value.bytes, 8);
	o->rc = t.rc;
	return store_commit(&t, err);
}

static int settle_epoch(struct opening *o, struct err *err)
{
	if (read_epoch(o->store, &o->store->epoch))
		return 0;
	if (o->is_keeper)
		return begin_epoch(o, err);
	return err_set(err, ERR_STORE,
	    "store: the journal in %s has no epoch: another file took its "
	    "place while the server runs; stop it and start it",
	    o->dir);
}

static int open_journal(struct opening *o, struct err *err)
{
	if (open_part(o, STORE_JOURNAL, err) != 0)
		return -1;
	if (o->is_keeper && fetch_facts(o, err) != 0)
		return -1;
	if (open_tables(o, STORE_JOURNAL, err) != 0)
		return -1;
	return settle_epoch(o, err);
}

static void close_part(struct part *p)
{
	if (p->reader)
		mdb_txn_abort(p->reader);
	if (p->env)
		mdb_env_close(p->env);
	*p = (struct part){0};
}

/* Startup must not fail because of events. */
static int open_any_journal(struct opening *o, struct err *err)
{
	struct store_path file = store_file(o->dir, STORE_JOURNAL);
	if (open_journal(o, err) == 0)
		return 0;
	if (!o->is_keeper || o->store->is_shared || !is_of_the_file(o->rc))
		return -1;
	close_part(&o->store->parts[STORE_JOURNAL]);
	move_aside(file.text, o->rc);
	return open_journal(o, err);
}

static int open_all(struct opening *o, struct err *err)
{
	struct store *s = o->store;
	s->is_shared = o->conf->durability == DURABLE_PROCESS;
	if (o->is_keeper && store_mark_renew(o->dir, err) != 0)
		return -1;
	if (!store_mark_exists(o->dir))
		return err_set(err, ERR_STORE,
		    "store: %s/journal.mark is missing", o->dir);
	if (!s->is_shared && open_part(o, STORE_FACTS, err) != 0)
		return -1;
	if (open_any_journal(o, err) != 0)
		return -1;
	return open_tables(o, STORE_FACTS, err);
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
	s->dir = mem_strndup(dir, strlen(dir));
	struct opening o = {s, dir, conf, is_keeper, 0};
	if (open_all(&o, err) == 0)
		return s;
	store_close(&s);
	return NULL;
}

void store_close(struct store **s)
{
	if (!*s)
		return;
	for (int i = 0; i < STORE_N_PARTS; i++)
		close_part(&(*s)->parts[i]);
	free((*s)->dir);
	free(*s);
	*s = NULL;
}

uint64_t store_epoch(const struct store *s)
{
	return s->epoch;
}

int64_t store_line(const struct store *s)
{
	return store_mark_line(s->dir);
}

int store_set_line(struct store *s, int64_t line_ms, struct err *err)
{
	return store_mark_set_line(s->dir, line_ms, err);
}
