/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* The meaning of LMDB's errors. */
#include "store/store_int.h"

#include "core/err.h"
#include "core/stat.h"

bool store_is_damage(int rc)
{
	return rc == MDB_INVALID || rc == MDB_CORRUPTED ||
	       rc == MDB_VERSION_MISMATCH || rc == MDB_PAGE_NOTFOUND ||
	       rc == MDB_PANIC;
}

const char *store_reason(int rc)
{
	return rc == MDB_MAP_FULL ? "it is as large as store_size allows "
				    "(MDB_MAP_FULL)"
				  : mdb_strerror(rc);
}

int store_error(struct err *err, const char *what, int rc)
{
	stat_add(store_errors, 1);
	return err_set(err, ERR_STORE, "store: %s: %s", what, store_reason(rc));
}
