/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* Copies the facts of a store in use into a file of their own. */
#include "store/store_int.h"

#include "core/conf.h"
#include "core/err.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/*
 * A compacting copy reads one snapshot. The other kind takes the writers' lock,
 * so it would wait for a process that is stopped.
 */
static int copy_whole(MDB_env *from, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno;
	int rc = mdb_env_copyfd2(from, fd, MDB_CP_COMPACT);
	if (!rc && fsync(fd) != 0)
		rc = errno;
	if (close(fd) != 0 && !rc)
		rc = errno;
	return rc;
}

static int copy_tables(MDB_env *from, MDB_env *to)
{
	MDB_txn *source, *target;
	int rc = mdb_txn_begin(from, NULL, MDB_RDONLY, &source);
	if (rc)
		return rc;
	rc = mdb_txn_begin(to, NULL, 0, &target);
	if (!rc) {
		rc = store_copy_facts(source, target);
		if (rc)
			mdb_txn_abort(target);
		else
			rc = mdb_txn_commit(target);
	}
	mdb_txn_abort(source);
	return rc;
}

/* The journal's file has the facts, too: take them alone. */
static int copy_facts(MDB_env *from, const char *path, size_t size)
{
	MDB_env *to;
	int rc = store_env_open(&to, path, size, true);
	if (rc)
		return rc;
	rc = copy_tables(from, to);
	mdb_env_close(to);
	store_remove_lock(path);
	return rc;
}

static int backup_from(
    MDB_env *env, const char *path, size_t size, bool is_shared)
{
	return is_shared ? copy_facts(env, path, size) : copy_whole(env, path);
}

/*
 * Whether facts.mdb is missing, since 'durability: process' puts the facts into
 * the journal's file.
 */
static bool has_one_file(const char *dir)
{
	return access(store_file(dir, STORE_FACTS).text, F_OK) != 0;
}

int store_backup(const struct conf *conf, const char *to, struct err *err)
{
	struct store_path dir = store_path("%s/store", conf->co_dir);
	bool is_shared = has_one_file(dir.text);
	struct store_path file =
	    store_file(dir.text, is_shared ? STORE_JOURNAL : STORE_FACTS);
	struct store_path copy = store_file(to, STORE_FACTS);
	size_t size = (size_t)conf->store_size * 1024 * 1024;
	MDB_env *env;

	if (access(file.text, F_OK) != 0)
		return err_set(err, ERR_STORE, "store: %s: %s", file.text,
		    strerror(errno));
	int rc = store_env_open(&env, file.text, size, true);
	if (rc)
		return store_error(err, file.text, rc);
	rc = backup_from(env, copy.text, size, is_shared);
	mdb_env_close(env);
	return rc ? store_error(err, copy.text, rc) : 0;
}
