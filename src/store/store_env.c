/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "store/store_int.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * The number of reader slots in the lock file: one for each reading thread, and
 * some for tools.
 */
#define MAX_READERS 512

/* Returns how many pages from 'first' on are in one row of the free list. */
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

/* No other process writes meanwhile. */
static int fill_up(MDB_env *env)
{
	size_t used = 0, page = 1, size = 0, found = 0;
	int fd = -1;
	int rc = used_size(env, &used, &page);
	if (!rc)
		rc = file_size(env, &fd, &size);
	if (rc || size >= used)
		return rc;
	/*
	 * First extend the file, so that the free list can be read without
	 * SIGBUS.
	 */
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
 * Reading a page missing at the end of the file would kill us by SIGBUS. Pages
 * that one commit allocated and freed may be missing in an intact file: they
 * are in the free list. If others are missing, the file was truncated.
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

int store_env_open(MDB_env **env, const char *path, size_t size, bool is_synced)
{
	unsigned flags = MDB_NOSUBDIR | MDB_NOTLS | MDB_NORDAHEAD;
	if (!is_synced)
		flags |= MDB_NOSYNC;
	int rc = mdb_env_create(env);
	if (rc)
		return rc;
	/* Includes those of an older format. */
	(void)mdb_env_set_maxdbs(*env, 2 * TABLE_COUNT);
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
