/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <lmdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/conf.h"
#include "core/err.h"
#include "core/stat.h"

/* Reader slots in the lock file: one a thread that reads, with room for tools.
 */
#define MAX_READERS 512

#define N_PARTS 2

struct part {
	MDB_env *env;
	MDB_txn *reader; /* the loop's, reset between reads */
	bool is_reading;
};

struct store {
	struct part parts[N_PARTS];
	bool is_shared; /* facts live in the journal's environment */
	MDB_dbi tables[TABLE_COUNT];
	uint64_t epoch;
};

struct table_row {
	const char *name;
	enum store_part part;
};

static const struct table_row table_rows[TABLE_COUNT] = {
    [TABLE_IDS] = {"ids", STORE_FACTS},
    [TABLE_SESSIONS] = {"sessions", STORE_FACTS},
    [TABLE_TALKS] = {"talks", STORE_FACTS},
    [TABLE_CLAIMS] = {"claims", STORE_FACTS},
    [TABLE_USED] = {"used", STORE_FACTS},
    [TABLE_FEED] = {"feed", STORE_FACTS},
    [TABLE_USAGE] = {"usage", STORE_FACTS},
    [TABLE_JOINS] = {"joins", STORE_JOURNAL},
    [TABLE_JOURNALS] = {"journals", STORE_JOURNAL},
    [TABLE_EVENTS] = {"events", STORE_JOURNAL},
};

static const char *const part_files[N_PARTS] = {
    [STORE_FACTS] = "facts.mdb",
    [STORE_JOURNAL] = "journal.mdb",
};

/*
 * What journal.mark says: which boot of the machine wrote journal.mdb, and its
 * epoch. It is a file of its own, so that a journal that a power cut may have
 * damaged is thrown away before anything in it is looked at.
 */
struct mark {
	char boot_id[40];
	uint64_t epoch;
};

struct path {
	char text[PATH_MAX];
};

__attribute__((format(printf, 1, 2))) static struct path path_of(
    const char *fmt, ...)
{
	struct path p;
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(p.text, sizeof p.text, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof p.text)
		fatal("store: a path is longer than %d bytes", PATH_MAX);
	return p;
}

enum store_part store_part_of(enum store_table table)
{
	return table_rows[table].part;
}

static struct part *part_of(struct store *s, enum store_part part)
{
	return &s->parts[s->is_shared ? STORE_JOURNAL : part];
}

static const char *reason_of(int rc)
{
	return rc == MDB_MAP_FULL ? "it is as large as store_size allows "
				    "(MDB_MAP_FULL)"
				  : mdb_strerror(rc);
}

static int store_error(struct err *err, const char *what, int rc)
{
	stat_add(store_errors, 1);
	return err_set(err, ERR_STORE, "store: %s: %s", what, reason_of(rc));
}

/* What failed in a transaction, with the name of the file. */
static int txn_error(
    struct err *err, const struct store_txn *t, const char *verb)
{
	char what[64];
	enum store_part part = t->store->is_shared ? STORE_JOURNAL : t->part;
	(void)snprintf(what, sizeof what, "%s %s", verb, part_files[part]);
	return store_error(err, what, t->rc);
}

static void read_boot_id(char out[40])
{
	memset(out, 0, 40);
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	ssize_t n = read(fd, out, 36);
	if (n < 0)
		out[0] = 0;
	close(fd);
}

/* How many pages from 'first' on one row of the free list holds. */
static size_t count_row(const MDB_val *row, size_t first)
{
	const size_t *ids = row->mv_data; /* a count, then page numbers */
	size_t n = row->mv_size / sizeof *ids, found = 0;
	for (size_t i = 1; i < n && i <= ids[0]; i++)
		found += ids[i] >= first;
	return found;
}

/* Count the free pages from 'first' on. */
static int count_free(MDB_env *env, size_t first, size_t *found)
{
	MDB_txn *txn;
	MDB_cursor *c;
	MDB_val k, v;
	*found = 0;
	int rc = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn);
	if (rc)
		return rc;
	rc = mdb_cursor_open(txn, 0, &c); /* table 0 is the free list */
	if (!rc) {
		while (!(rc = mdb_cursor_get(c, &k, &v, MDB_NEXT)))
			*found += count_row(&v, first);
		mdb_cursor_close(c);
	}
	mdb_txn_abort(txn);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int file_size(MDB_env *env, int *fd, size_t *size)
{
	struct stat sb;
	int rc = mdb_env_get_fd(env, fd);
	if (rc)
		return rc;
	if (fstat(*fd, &sb) != 0)
		return errno;
	*size = (size_t)sb.st_size;
	return 0;
}

static int used_size(MDB_env *env, size_t *used, size_t *page)
{
	MDB_envinfo info;
	MDB_stat st;
	int rc = mdb_env_info(env, &info);
	if (!rc)
		rc = mdb_env_stat(env, &st);
	if (rc)
		return rc;
	*page = st.ms_psize;
	*used = (info.me_last_pgno + 1) * *page;
	return 0;
}

/* Nobody else writes meanwhile. */
static int fill_up(MDB_env *env)
{
	size_t used = 0, page = 1, size = 0, found = 0;
	int fd = -1;
	int rc = used_size(env, &used, &page);
	if (!rc)
		rc = file_size(env, &fd, &size);
	if (rc || size >= used)
		return rc;
	/* First, so that the free list itself can be read without SIGBUS. */
	if (ftruncate(fd, (off_t)used) != 0)
		return errno;
	rc = count_free(env, size / page, &found);
	if (!rc && found == used / page - size / page)
		return 0;
	if (ftruncate(fd, (off_t)size) != 0)
		return errno;
	return rc ? rc : MDB_CORRUPTED;
}

/*
 * A page that is missing at the end of the file would end us by SIGBUS when it
 * is read. Pages that one commit took and gave back are missing in a file that
 * is whole: they are in the free list. Where others are missing, the file was
 * cut.
 */
static int check_size(MDB_env *env)
{
	size_t used = 0, page = 1, size = 0;
	MDB_txn *lock;
	int fd = -1;
	int rc = used_size(env, &used, &page);
	if (!rc)
		rc = file_size(env, &fd, &size);
	if (rc || size >= used)
		return rc;
	rc = mdb_txn_begin(env, NULL, 0, &lock);
	if (rc)
		return rc;
	rc = fill_up(env);
	mdb_txn_abort(lock);
	return rc;
}

static int open_env(
    MDB_env **env, const char *path, size_t size, bool is_synced)
{
	unsigned flags = MDB_NOSUBDIR | MDB_NOTLS | MDB_NORDAHEAD;
	if (!is_synced)
		flags |= MDB_NOSYNC;
	int rc = mdb_env_create(env);
	if (rc)
		return rc;
	(void)mdb_env_set_maxdbs(*env, TABLE_COUNT);
	(void)mdb_env_set_maxreaders(*env, MAX_READERS);
	(void)mdb_env_set_mapsize(*env, size);
	rc = mdb_env_open(*env, path, flags, 0600);
	if (!rc)
		rc = check_size(*env);
	if (rc) {
		mdb_env_close(*env);
		*env = NULL;
	}
	return rc;
}

/* The lock file goes too: it belongs to the data file beside it. */
static void remove_lock(const char *path)
{
	(void)unlink(path_of("%s-lock", path).text);
}

static void move_aside(const char *path, int rc)
{
	struct path aside =
	    path_of("%s.corrupt-%lld", path, (long long)clock_wall_ms());
	if (rename(path, aside.text) != 0)
		fatal("store: cannot move %s aside: %s", path, strerror(errno));
	remove_lock(path);
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
	struct path file = path_of("%s/%s", dir, part_files[part]);
	const char *path = file.text;
	size_t size = (size_t)conf->store_size * 1024 * 1024;
	MDB_env **env = &s->parts[part].env;
	int rc = open_env(env, path, size, part == STORE_FACTS);
	if (is_damage(rc) && is_keeper) {
		move_aside(path, rc);
		rc = open_env(env, path, size, part == STORE_FACTS);
	}
	if (rc)
		return store_error(err, path, rc);
	return 0;
}

static int open_table(struct store *s, int table, bool may_create)
{
	const struct table_row *row = &table_rows[table];
	MDB_txn *txn;
	int rc = mdb_txn_begin(part_of(s, row->part)->env, NULL,
	    may_create ? 0 : MDB_RDONLY, &txn);
	if (rc)
		return rc;
	rc = mdb_dbi_open(
	    txn, row->name, may_create ? MDB_CREATE : 0, &s->tables[table]);
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
			return store_error(err, table_rows[i].name, rc);
	}
	return 0;
}

/* Move a table's rows, if it is there at all. */
static int move_table(MDB_txn *from, MDB_txn *to, const char *name)
{
	MDB_dbi source, target;
	MDB_cursor *c;
	MDB_val k, v;
	int rc = mdb_dbi_open(from, name, 0, &source);
	if (rc)
		return rc == MDB_NOTFOUND ? 0 : rc;
	rc = mdb_dbi_open(to, name, MDB_CREATE, &target);
	if (!rc)
		rc = mdb_cursor_open(from, source, &c);
	if (rc)
		return rc;
	while (!(rc = mdb_cursor_get(c, &k, &v, MDB_NEXT)))
		if ((rc = mdb_put(to, target, &k, &v, 0)) != 0)
			break;
	mdb_cursor_close(c);
	return rc == MDB_NOTFOUND ? mdb_drop(from, source, 1) : rc;
}

static int move_tables(MDB_txn *from, MDB_txn *to)
{
	int rc = 0;
	for (int i = 0; i < TABLE_COUNT && !rc; i++)
		if (table_rows[i].part == STORE_FACTS)
			rc = move_table(from, to, table_rows[i].name);
	return rc;
}

/*
 * The copy is committed before the original goes: who dies in between leaves
 * the same rows twice, and the next keeper moves them once more.
 */
static int move_facts(MDB_env *from, MDB_env *to)
{
	MDB_txn *source, *target;
	int rc = mdb_txn_begin(from, NULL, 0, &source);
	if (rc)
		return rc;
	rc = mdb_txn_begin(to, NULL, 0, &target);
	if (rc) {
		mdb_txn_abort(source);
		return rc;
	}
	rc = move_tables(source, target);
	if (rc)
		mdb_txn_abort(target);
	else
		rc = mdb_txn_commit(target);
	if (!rc)
		return mdb_txn_commit(source);
	mdb_txn_abort(source);
	return rc;
}

static int cannot_move(
    struct err *err, const char *dir, const char *was, int rc)
{
	stat_add(store_errors, 1);
	return err_set(err, ERR_STORE,
	    "store: the facts in %s cannot be moved to where this durability "
	    "keeps them (%s): set durability: %s again, or a larger store_size",
	    dir, reason_of(rc), was);
}

/* With the facts in the journal's file there is no other one. */
static int gather_facts(
    struct store *s, const char *dir, const struct conf *conf, struct err *err)
{
	struct path file = path_of("%s/%s", dir, part_files[STORE_FACTS]);
	struct part *old = &s->parts[STORE_FACTS];
	if (access(file.text, F_OK) != 0)
		return 0;
	if (open_part(s, STORE_FACTS, dir, conf, true, err) != 0)
		return -1;
	int rc = move_facts(old->env, s->parts[STORE_JOURNAL].env);
	mdb_env_close(old->env);
	old->env = NULL;
	if (rc)
		return cannot_move(err, dir, "power", rc);
	if (unlink(file.text) != 0)
		return err_set(err, ERR_STORE, "store: cannot remove %s: %s",
		    file.text, strerror(errno));
	remove_lock(file.text);
	log_info("store: the facts moved to %s", part_files[STORE_JOURNAL]);
	return 0;
}

/* 'durability' may have changed since the last start: the facts follow. */
static int fetch_facts(
    struct store *s, const char *dir, const struct conf *conf, struct err *err)
{
	if (s->is_shared)
		return gather_facts(s, dir, conf, err);
	int rc =
	    move_facts(s->parts[STORE_JOURNAL].env, s->parts[STORE_FACTS].env);
	return rc ? cannot_move(err, dir, "process", rc) : 0;
}

static bool read_mark(const char *dir, struct mark *m)
{
	struct path file = path_of("%s/journal.mark", dir);
	const char *path = file.text;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool whole = read(fd, m, sizeof *m) == (ssize_t)sizeof *m;
	close(fd);
	return whole;
}

static int write_mark(const char *dir, const struct mark *m, struct err *err)
{
	struct path file = path_of("%s/journal.mark", dir);
	const char *path = file.text;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool ok = fd >= 0 && write(fd, m, sizeof *m) == (ssize_t)sizeof *m &&
		  fsync(fd) == 0;
	int why = errno;
	if (fd >= 0)
		close(fd);
	return ok ? 0
		  : err_set(err, ERR_STORE, "store: cannot write %s: %s", path,
			strerror(why));
}

/* Begin a new journal unless the one there was written under this boot. */
static int renew_journal(const char *dir, struct err *err)
{
	struct mark now = {.epoch = (uint64_t)clock_wall_ms()}, old;
	read_boot_id(now.boot_id);
	if (read_mark(dir, &old) &&
	    memcmp(old.boot_id, now.boot_id, sizeof now.boot_id) == 0)
		return 0;
	struct path file = path_of("%s/%s", dir, part_files[STORE_JOURNAL]);
	const char *path = file.text;
	if (unlink(path) != 0 && errno != ENOENT)
		return err_set(err, ERR_STORE, "store: cannot remove %s: %s",
		    path, strerror(errno));
	remove_lock(path);
	return write_mark(dir, &now, err);
}

static void close_envs(struct store *s)
{
	for (int i = 0; i < N_PARTS; i++) {
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
	struct mark m;
	if (is_keeper && renew_journal(dir, err) != 0)
		return -1;
	if (!read_mark(dir, &m))
		return err_set(
		    err, ERR_STORE, "store: %s/journal.mark is missing", dir);
	s->epoch = m.epoch;
	return open_all(s, dir, conf, is_keeper, err);
}

struct store *store_open(
    const struct conf *conf, bool is_keeper, struct err *err)
{
	struct path folder = path_of("%s/store", conf->co_dir);
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

uint64_t store_epoch(const struct store *s)
{
	return s->epoch;
}

struct store_key store_key1(uint64_t a)
{
	struct store_key k = {{0}};
	a = __builtin_bswap64(a);
	memcpy(k.bytes, &a, 8);
	return k;
}

struct store_key store_key2(uint64_t a, uint64_t b)
{
	struct store_key k = store_key1(a);
	b = __builtin_bswap64(b);
	memcpy(k.bytes + 8, &b, 8);
	return k;
}

uint64_t store_number(const void *bytes)
{
	uint64_t v;
	memcpy(&v, bytes, 8);
	return __builtin_bswap64(v);
}

void store_read(struct store *s, struct store_txn *t, enum store_part part)
{
	struct part *p = part_of(s, part);
	if (p->is_reading)
		panic("store: a read inside a read");
	*t = (struct store_txn){.store = s, .part = part};
	t->rc = p->reader ? mdb_txn_renew(p->reader)
			  : mdb_txn_begin(p->env, NULL, MDB_RDONLY, &p->reader);
	t->handle = p->reader;
	p->is_reading = t->rc == 0;
}

int store_read_end(struct store_txn *t, struct err *err)
{
	struct part *p = part_of(t->store, t->part);
	if (p->is_reading)
		mdb_txn_reset(p->reader);
	p->is_reading = false;
	return t->rc ? txn_error(err, t, "read") : 0;
}

void store_write(struct store *s, struct store_txn *t, enum store_part part)
{
	MDB_txn *txn = NULL;
	*t = (struct store_txn){.store = s, .part = part, .is_writing = true};
	t->rc = mdb_txn_begin(part_of(s, part)->env, NULL, 0, &txn);
	t->handle = txn;
}

int store_commit(struct store_txn *t, struct err *err)
{
	if (t->rc) {
		store_abort(t);
		return txn_error(err, t, "write");
	}
	int64_t began = clock_mono_us();
	t->rc = mdb_txn_commit(t->handle);
	t->handle = NULL;
	stat_add(commits, 1);
	stat_add(commit_us, clock_mono_us() - began);
	return t->rc ? txn_error(err, t, "commit") : 0;
}

void store_abort(struct store_txn *t)
{
	if (t->handle)
		mdb_txn_abort(t->handle);
	t->handle = NULL;
}

bool store_get(struct store_txn *t, enum store_table table, const void *key,
    size_t key_len, struct store_span *value)
{
	if (t->rc)
		return false;
	MDB_val k = {key_len, (void *)(uintptr_t)key}, v;
	int rc = mdb_get(t->handle, t->store->tables[table], &k, &v);
	if (rc && rc != MDB_NOTFOUND)
		t->rc = rc;
	if (rc)
		return false;
	*value = (struct store_span){v.mv_data, v.mv_size};
	return true;
}

void store_put(struct store_txn *t, enum store_table table, const void *key,
    size_t key_len, const void *value, size_t len)
{
	if (t->rc)
		return;
	MDB_val k = {key_len, (void *)(uintptr_t)key};
	MDB_val v = {len, (void *)(uintptr_t)value};
	t->rc = mdb_put(t->handle, t->store->tables[table], &k, &v, 0);
}

/* The number after the last one. */
static struct store_key next_key(MDB_cursor *c, int *rc)
{
	MDB_val k, v;
	*rc = mdb_cursor_get(c, &k, &v, MDB_LAST);
	if (*rc == MDB_NOTFOUND)
		*rc = 0;
	else if (!*rc && k.mv_size == 8)
		return store_key1(store_number(k.mv_data) + 1);
	return store_key1(1);
}

void store_append(
    struct store_txn *t, enum store_table table, const void *value, size_t len)
{
	MDB_cursor *c;
	if (t->rc)
		return;
	t->rc = mdb_cursor_open(t->handle, t->store->tables[table], &c);
	if (t->rc)
		return;
	struct store_key key = next_key(c, &t->rc);
	MDB_val k = {8, key.bytes}, v = {len, (void *)(uintptr_t)value};
	if (!t->rc)
		t->rc = mdb_cursor_put(c, &k, &v, MDB_APPEND);
	mdb_cursor_close(c);
}

void store_delete(struct store_txn *t, enum store_table table, const void *key,
    size_t key_len)
{
	if (t->rc)
		return;
	MDB_val k = {key_len, (void *)(uintptr_t)key};
	int rc = mdb_del(t->handle, t->store->tables[table], &k, NULL);
	if (rc != MDB_NOTFOUND)
		t->rc = rc;
}

typedef bool each_fn(struct store_span, struct store_span, void *);

static void walk(MDB_cursor *c, int rc, MDB_cursor_op step, MDB_val k,
    MDB_val v, struct store_txn *t, each_fn *fn, void *arg)
{
	while (!rc) {
		struct store_span key = {k.mv_data, k.mv_size};
		struct store_span value = {v.mv_data, v.mv_size};
		if (!fn(key, value, arg))
			break;
		rc = mdb_cursor_get(c, &k, &v, step);
	}
	if (rc && rc != MDB_NOTFOUND)
		t->rc = rc;
	mdb_cursor_close(c);
}

void store_each(struct store_txn *t, enum store_table table, const void *key,
    size_t key_len, each_fn *fn, void *arg)
{
	MDB_cursor *c;
	if (t->rc)
		return;
	t->rc = mdb_cursor_open(t->handle, t->store->tables[table], &c);
	if (t->rc)
		return;
	MDB_val k = {key_len, (void *)(uintptr_t)key}, v;
	int rc = mdb_cursor_get(c, &k, &v, key ? MDB_SET_RANGE : MDB_FIRST);
	walk(c, rc, MDB_NEXT, k, v, t, fn, arg);
}

static int seek_back(MDB_cursor *c, MDB_val *k, MDB_val *v)
{
	MDB_val want = *k;
	if (!want.mv_data)
		return mdb_cursor_get(c, k, v, MDB_LAST);
	int rc = mdb_cursor_get(c, k, v, MDB_SET_RANGE);
	if (rc == MDB_NOTFOUND)
		return mdb_cursor_get(c, k, v, MDB_LAST);
	if (rc || (k->mv_size == want.mv_size &&
		      memcmp(k->mv_data, want.mv_data, want.mv_size) == 0))
		return rc;
	return mdb_cursor_get(c, k, v, MDB_PREV);
}

void store_each_back(struct store_txn *t, enum store_table table,
    const void *key, size_t key_len, each_fn *fn, void *arg)
{
	MDB_cursor *c;
	if (t->rc)
		return;
	t->rc = mdb_cursor_open(t->handle, t->store->tables[table], &c);
	if (t->rc)
		return;
	MDB_val k = {key_len, (void *)(uintptr_t)key}, v;
	int rc = seek_back(c, &k, &v);
	walk(c, rc, MDB_PREV, k, v, t, fn, arg);
}

uint64_t store_delete_events(
    struct store_txn *t, uint64_t number, uint64_t first, uint64_t last)
{
	MDB_cursor *c;
	uint64_t bytes = 0;
	struct store_key from = store_key2(number, first);
	struct store_key to = store_key2(number, last);
	if (t->rc)
		return 0;
	t->rc = mdb_cursor_open(t->handle, t->store->tables[TABLE_EVENTS], &c);
	if (t->rc)
		return 0;
	MDB_val k = {16, from.bytes}, v;
	int rc = mdb_cursor_get(c, &k, &v, MDB_SET_RANGE);
	while (!rc && k.mv_size == 16 && memcmp(k.mv_data, to.bytes, 16) <= 0) {
		bytes += v.mv_size;
		rc = mdb_cursor_del(c, 0);
		if (!rc)
			rc = mdb_cursor_get(c, &k, &v, MDB_NEXT);
	}
	if (rc && rc != MDB_NOTFOUND)
		t->rc = rc;
	mdb_cursor_close(c);
	return bytes;
}

void store_check_readers(struct store *s)
{
	for (int i = 0; i < N_PARTS; i++) {
		int dead = 0;
		if (s->parts[i].env)
			(void)mdb_reader_check(s->parts[i].env, &dead);
	}
}

void store_metrics(struct store *s, struct buf *out)
{
	buf_str(out,
	    "# HELP cohostd_store_used_bytes bytes of the file in use\n"
	    "# TYPE cohostd_store_used_bytes gauge\n");
	for (int i = 0; i < N_PARTS; i++) {
		MDB_envinfo info;
		MDB_stat st;
		if (!s->parts[i].env || mdb_env_info(s->parts[i].env, &info) ||
		    mdb_env_stat(s->parts[i].env, &st))
			continue;
		buf_printf(out, "cohostd_store_used_bytes{file=\"%s\"} %zu\n",
		    part_files[i], (info.me_last_pgno + 1) * st.ms_psize);
	}
}
