/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "store/store_int.h"

#include "base/log.h"
#include "core/conf.h"
#include "core/pulse.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* The room that an ordinary input may need. */
#define PROBE_BYTES 65536

/* With less free space than this on the disk, try a write. */
#define DOUBT_BYTES (16 * 1024 * 1024)

static const char probe_bytes[PROBE_BYTES];

void store_tell(struct store *s, _Atomic uint32_t *refuses)
{
	s->refuses = refuses;
}

static bool is_disk_low(const char *path)
{
	struct statvfs st;
	return statvfs(path, &st) == 0 &&
	       (uint64_t)st.f_bavail * st.f_frsize < DOUBT_BYTES;
}

/* Whether the disk accepts data: write a file that has no name any more. */
static bool can_write(const char *dir)
{
	struct store_path file = store_path("%s/probe", dir);
	int fd = open(file.text,
	    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	(void)unlink(file.text); /* otherwise the next probe removes it */
	bool ok = write(fd, probe_bytes, PROBE_BYTES) == PROBE_BYTES &&
		  fdatasync(fd) == 0;
	close(fd);
	return ok;
}

/* Whether the file has free pages; writes nothing. */
static bool has_pages(MDB_txn *txn)
{
	static char name[] = "probe";
	MDB_dbi names;
	MDB_val k = {sizeof name - 1, name};
	MDB_val v = {PROBE_BYTES, (void *)(uintptr_t)probe_bytes};
	return mdb_dbi_open(txn, NULL, 0, &names) == 0 &&
	       mdb_put(txn, names, &k, &v, 0) == 0;
}

static bool probe_env(MDB_env *env, bool is_doubted)
{
	MDB_txn *txn;
	enum pulse_state was = pulse_set(PULSE_WAITING);
	int rc = mdb_txn_begin(env, NULL, 0, &txn);
	(void)pulse_set(was);
	if (rc)
		return false;
	bool ok = !is_doubted || has_pages(txn);
	mdb_txn_abort(txn);
	return ok;
}

void store_probe(struct store *s, const struct conf *conf)
{
	struct store_path dir = store_path("%s/store", conf->co_dir);
	uint32_t was = atomic_load(s->refuses);
	bool is_doubted = was || is_disk_low(dir.text);
	(void)store_keep_reserve(s);
	bool ok = !is_doubted || can_write(dir.text);
	for (int i = 0; i < STORE_N_PARTS; i++)
		if (s->parts[i].env)
			ok = probe_env(s->parts[i].env, is_doubted) && ok;
	if (ok)
		atomic_fetch_and(s->refuses, ~(uint32_t)STORE_FAILED);
	else
		atomic_fetch_or(s->refuses, STORE_FAILED);
	ok = !atomic_load(s->refuses);
	if (!was && !ok)
		log_warn(
		    "store: no room for inputs: check the disk and store_size");
	else if (was && ok)
		log_info("store: writes succeed again");
}
