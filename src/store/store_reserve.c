/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "store/store_int.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define RESERVE_BYTES (4 * 1024 * 1024)

/*
 * Room that must be left beside the reserve: what was given up for the ends of
 * turns is not taken back before somebody has freed space.
 */
#define RESERVE_BESIDE (1024 * 1024)

static struct store_path reserve_path(const struct store *s)
{
	return store_path("%s/reserve", s->dir);
}

static bool exists(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	       st.st_size >= RESERVE_BYTES;
}

static bool has_room(const char *dir, uint64_t bytes)
{
	struct statvfs st;
	return statvfs(dir, &st) == 0 &&
	       (uint64_t)st.f_bavail * st.f_frsize >= bytes;
}

static void make(const char *path)
{
	int fd = open(
	    path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	if (posix_fallocate(fd, 0, RESERVE_BYTES) != 0)
		(void)unlink(path);
	close(fd);
}

bool store_keep_reserve(struct store *s)
{
	struct store_path file = reserve_path(s);
	if (!exists(file.text) &&
	    has_room(s->dir, RESERVE_BYTES + RESERVE_BESIDE))
		make(file.text);
	if (!exists(file.text))
		return false;
	/*
	 * The process that gives it up sets the bit first: check again after
	 * creating ours.
	 */
	if (s->refuses && store_is_for_ends(s)) {
		atomic_fetch_and(s->refuses, ~(uint32_t)STORE_FOR_ENDS);
		if (!exists(file.text))
			atomic_fetch_or(s->refuses, STORE_FOR_ENDS);
	}
	return true;
}

bool store_use_reserve(struct store *s)
{
	struct store_path file = reserve_path(s);
	if (!s->refuses)
		return false;
	if (!exists(file.text))
		return store_is_for_ends(s);
	atomic_fetch_or(s->refuses, STORE_FOR_ENDS);
	if (unlink(file.text) == 0)
		log_warn("store: the disk is full: released %s so that turns "
			 "can end; inputs are refused until there is room",
		    file.text);
	return true;
}

bool store_is_for_ends(const struct store *s)
{
	return s->refuses && (atomic_load(s->refuses) & STORE_FOR_ENDS);
}

/*
 * Of several pages, the kernel writes those for which there is room, which LMDB
 * reports as EIO.
 */
bool store_lacks_room(const struct store_txn *t)
{
	if (t->rc == EIO)
		return !has_room(t->store->dir, RESERVE_BESIDE);
	return t->rc == ENOSPC || t->rc == EDQUOT;
}
