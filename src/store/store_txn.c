/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* Transactions: their begin, their end, and the meaning of their failure. */
#include "store/store_int.h"

#include "base/clock.h"
#include "base/log.h"
#include "core/err.h"
#include "core/pulse.h"
#include "core/stat.h"

#include <stdio.h>

struct part *store_part(struct store *s, enum store_part part)
{
	return &s->parts[s->is_shared ? STORE_JOURNAL : part];
}

/* Report the failure of a transaction, with the name of the file. */
static int txn_error(
    struct err *err, const struct store_txn *t, const char *verb)
{
	char what[64];
	enum store_part part = t->store->is_shared ? STORE_JOURNAL : t->part;
	(void)snprintf(what, sizeof what, "%s %s", verb, store_file_name(part));
	return store_error(err, what, t->rc);
}

/*
 * Any process may hold the lock; the pulses show whether that process is alive.
 */
static int store_txn_begin(MDB_env *env, unsigned flags, MDB_txn **txn)
{
	enum pulse_state was = pulse_set(PULSE_WAITING);
	int rc = mdb_txn_begin(env, NULL, flags, txn);
	(void)pulse_set(was);
	return rc;
}

/*
 * A meta page could not be written: LMDB accepts no more calls in this process,
 * and the commit may exist or not. The next process sees which, and takeover
 * does the rest; here it must not be reported as failed.
 */
static void check_usable(int rc, enum store_part part)
{
	if (rc == MDB_PANIC)
		fatal("store: %s: a commit could not be completed on disk; "
		      "another process will take over",
		    store_file_name(part));
}

static void check_after_failure(MDB_env *env, enum store_part part)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn);
	if (rc == 0)
		mdb_txn_abort(txn);
	check_usable(rc, part);
}

void store_read(struct store *s, struct store_txn *t, enum store_part part)
{
	struct part *p = store_part(s, part);
	if (p->is_reading)
		panic("store: a read inside a read");
	*t = (struct store_txn){.store = s, .part = part};
	t->rc = p->reader ? mdb_txn_renew(p->reader)
			  : store_txn_begin(p->env, MDB_RDONLY, &p->reader);
	t->handle = p->reader;
	check_usable(t->rc, part);
	p->is_reading = t->rc == 0;
}

int store_read_end(struct store_txn *t, struct err *err)
{
	struct part *p = store_part(t->store, t->part);
	if (p->is_reading)
		mdb_txn_reset(p->reader);
	p->is_reading = false;
	return t->rc ? txn_error(err, t, "read") : 0;
}

void store_write(struct store *s, struct store_txn *t, enum store_part part)
{
	MDB_txn *txn = NULL;
	*t = (struct store_txn){.store = s, .part = part, .is_writing = true};
	t->rc = store_txn_begin(store_part(s, part)->env, 0, &txn);
	check_usable(t->rc, part);
	if (!t->rc)
		store_server_check(s, txn, part);
	t->handle = txn;
}

/*
 * A session whose events lie in a damaged page can add none; its turns end in
 * the facts alone. While processes have the file open it cannot be replaced;
 * the next start creates a new one.
 */
static void note_failure(const struct store_txn *t)
{
	struct store *s = t->store;
	if (s->refuses)
		atomic_fetch_or(s->refuses, STORE_FAILED);
	if (t->part == STORE_JOURNAL && !s->is_shared &&
	    store_is_damage(t->rc) && store_mark_damage(s->dir))
		log_error("store: pages of %s/journal.mdb are damaged; "
			  "sessions whose events are there take no more "
			  "input. A new journal begins with the next start "
			  "(results and conversations stay): stop the server "
			  "and start it",
		    s->dir);
}

bool store_met_damage(const struct store_txn *t)
{
	return store_is_damage(t->rc);
}

int store_commit(struct store_txn *t, struct err *err)
{
	if (t->rc) {
		store_abort(t);
		note_failure(t);
		return txn_error(err, t, "write");
	}
	pulse_beat();
	int64_t began = clock_mono_us();
	t->rc = mdb_txn_commit(t->handle);
	t->handle = NULL;
	stat_add(commits, 1);
	stat_add(commit_us, clock_mono_us() - began);
	if (!t->rc)
		return 0;
	note_failure(t);
	check_after_failure(store_part(t->store, t->part)->env, t->part);
	return txn_error(err, t, "commit");
}

void store_abort(struct store_txn *t)
{
	if (t->handle)
		mdb_txn_abort(t->handle);
	t->handle = NULL;
}
