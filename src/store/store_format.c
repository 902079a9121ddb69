/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * The version of the format of a file. Files from before it was written down
 * have format 1 or 2, which their tables tell (store_convert.c).
 */
#include "store/store_int.h"

#include "core/err.h"

#include <stdint.h>
#include <string.h>

/*
 * A program reads files up to its format. What only adds to a file gets a new
 * format, and the oldest one whose programs may go on with such a file stays.
 */
#define LEAST_READER 2

struct format {
	uint32_t version;
	uint32_t least; /* the format of the oldest program that may read it */
};

static char format_key[] = "format";

static MDB_val key_of_format(void)
{
	return (MDB_val){sizeof format_key - 1, format_key};
}

/* Returns 0, MDB_NOTFOUND, or another LMDB error. */
static int read_format(MDB_txn *txn, MDB_dbi dbi, struct format *f)
{
	MDB_val key = key_of_format(), value;
	int rc = mdb_get(txn, dbi, &key, &value);
	if (rc)
		return rc;
	if (value.mv_size != sizeof *f)
		return MDB_CORRUPTED;
	memcpy(f, value.mv_data, sizeof *f);
	return 0;
}

int store_format_check(MDB_env *env)
{
	struct format f;
	MDB_txn *txn;
	MDB_dbi dbi;
	int rc = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn);
	if (rc)
		return rc;
	rc = mdb_dbi_open(txn, NULL, 0, &dbi);
	if (!rc)
		rc = read_format(txn, dbi, &f);
	mdb_txn_abort(txn);
	if (rc == MDB_NOTFOUND)
		return 0;
	return !rc && f.least > STORE_VERSION ? STORE_NEWER : rc;
}

int store_format_put(MDB_env *env)
{
	struct format now = {STORE_VERSION, LEAST_READER}, was;
	MDB_val key = key_of_format(), value = {sizeof now, &now};
	MDB_txn *txn;
	MDB_dbi dbi;
	int rc = mdb_txn_begin(env, NULL, 0, &txn);
	if (rc)
		return rc;
	rc = mdb_dbi_open(txn, NULL, 0, &dbi);
	if (!rc)
		rc = read_format(txn, dbi, &was);
	bool is_done = !rc && was.version >= now.version;
	if (rc == MDB_NOTFOUND || (!rc && !is_done))
		rc = mdb_put(txn, dbi, &key, &value, 0);
	if (!rc && !is_done)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return rc;
}

int store_format_refuse(const char *path, struct err *err)
{
	return err_set(err, ERR_STORE,
	    "store: %s was written by a newer version, whose format this one "
	    "(format %d) cannot read: install that version again, or restore a "
	    "backup from before the upgrade",
	    path, STORE_VERSION);
}
