/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "store/store_int.h"

#include "base/log.h"

/*
 * The number of the server to which a file belongs. It is stored among the
 * names of the tables, so that reading it costs no page that a write does not
 * read anyway.
 */
static const char row_name[] = "server";

static MDB_val row_key(void)
{
	return (MDB_val){sizeof row_name - 1, (void *)(uintptr_t)row_name};
}

int store_server_put(MDB_env *env, uint64_t server)
{
	MDB_txn *txn;
	MDB_dbi names;
	struct store_key number = store_key1(server);
	MDB_val k = row_key(), v = {8, number.bytes};
	int rc = mdb_txn_begin(env, NULL, 0, &txn);
	if (rc)
		return rc;
	rc = mdb_dbi_open(txn, NULL, 0, &names);
	if (!rc)
		rc = mdb_put(txn, names, &k, &v, 0);
	if (!rc)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return rc;
}

void store_server_check(
    const struct store *s, MDB_txn *txn, enum store_part part)
{
	MDB_dbi names;
	MDB_val k = row_key(), v;
	if (!s->server)
		return;
	int rc = mdb_dbi_open(txn, NULL, 0, &names);
	if (!rc)
		rc = mdb_get(txn, names, &k, &v);
	if (rc || (v.mv_size == 8 && store_number(v.mv_data) == s->server))
		return;
	mdb_txn_abort(txn);
	fatal("store: another server has claimed %s; this process belongs to a "
	      "dead server and exits",
	    store_file_name(s->is_shared ? STORE_JOURNAL : part));
}
