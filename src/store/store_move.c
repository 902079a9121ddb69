/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "store/store_int.h"

/* Copy the rows of a table, if it exists; *source is the table then. */
static int copy_table(
    MDB_txn *from, MDB_txn *to, const char *name, MDB_dbi *source)
{
	MDB_dbi target;
	MDB_cursor *c;
	MDB_val k, v;
	int rc = mdb_dbi_open(from, name, 0, source);
	if (rc)
		return rc;
	rc = mdb_dbi_open(to, name, MDB_CREATE, &target);
	if (!rc)
		rc = mdb_cursor_open(from, *source, &c);
	if (rc)
		return rc;
	while (!(rc = mdb_cursor_get(c, &k, &v, MDB_NEXT)))
		if ((rc = mdb_put(to, target, &k, &v, 0)) != 0)
			break;
	mdb_cursor_close(c);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int each_table(MDB_txn *from, MDB_txn *to, bool is_moving)
{
	int rc = 0;
	for (int i = 0; i < TABLE_COUNT && !rc; i++) {
		MDB_dbi source;
		if (store_part_of(i) != STORE_FACTS)
			continue;
		rc = copy_table(from, to, store_stored_name(i), &source);
		if (!rc && is_moving)
			rc = mdb_drop(from, source, 1);
		if (rc == MDB_NOTFOUND)
			rc = 0;
	}
	return rc;
}

int store_copy_facts(MDB_txn *from, MDB_txn *to)
{
	return each_table(from, to, false);
}

/*
 * The copy is committed before the original is deleted: a process that dies in
 * between leaves the rows twice, and the next keeper moves them again.
 */
int store_move_facts(MDB_env *from, MDB_env *to)
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
	rc = each_table(source, target, true);
	if (rc)
		mdb_txn_abort(target);
	else
		rc = mdb_txn_commit(target);
	if (!rc)
		return mdb_txn_commit(source);
	mdb_txn_abort(source);
	return rc;
}
