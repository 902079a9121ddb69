/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "store/store_int.h"

#include "base/log.h"

/* The first format: rows were bare values, without a checksum. */

/* Tables whose rows are worth converting; the journal begins anew. */
static bool is_kept(enum store_table table)
{
	return store_part_of(table) == STORE_FACTS;
}

static int copy_rows(
    MDB_txn *txn, MDB_dbi from, MDB_dbi to, enum store_table table)
{
	MDB_cursor *c;
	MDB_val k, v;
	int rc = mdb_cursor_open(txn, from, &c);
	if (rc)
		return rc;
	while (!(rc = mdb_cursor_get(c, &k, &v, MDB_NEXT))) {
		struct store_row row = {table, k, v.mv_data, v.mv_size, 0};
		rc = store_row_put(txn, to, &row);
		if (rc)
			break;
	}
	mdb_cursor_close(c);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int convert_table(MDB_txn *txn, enum store_table table)
{
	MDB_dbi from, to;
	int rc = mdb_dbi_open(txn, store_table_name(table), 0, &from);
	if (rc)
		return rc == MDB_NOTFOUND ? 0 : rc;
	log_info("store: converted table %s", store_table_name(table));
	if (is_kept(table)) {
		rc = mdb_dbi_open(
		    txn, store_stored_name(table), MDB_CREATE, &to);
		if (!rc)
			rc = copy_rows(txn, from, to, table);
	}
	return rc ? rc : mdb_drop(txn, from, 1);
}

/* One commit per table, so that the next one can use the pages it freed. */
int store_convert(MDB_env *env)
{
	int rc = 0;
	if (!store_is_old(env))
		return 0;
	for (int i = 0; i < TABLE_COUNT && !rc; i++) {
		MDB_txn *txn;
		rc = mdb_txn_begin(env, NULL, 0, &txn);
		if (rc)
			break;
		rc = convert_table(txn, i);
		if (rc)
			mdb_txn_abort(txn);
		else
			rc = mdb_txn_commit(txn);
	}
	return rc;
}

bool store_is_old(MDB_env *env)
{
	MDB_txn *txn;
	MDB_dbi dbi;
	bool found = false;
	if (mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) != 0)
		return false;
	for (int i = 0; i < TABLE_COUNT && !found; i++)
		found = mdb_dbi_open(txn, store_table_name(i), 0, &dbi) == 0;
	mdb_txn_abort(txn);
	return found;
}
