/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "store/store_int.h"

#include "base/clock.h"
#include "core/err.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * The contents of journal.mark: which boot of the machine wrote journal.mdb,
 * the highest epoch that was given, and the line on which the wall clock was
 * trusted during this boot. It is a file of its own, so that a journal that a
 * power cut may have damaged is discarded before anything in it is read.
 */
struct mark {
	char boot_id[40];
	uint64_t epoch;
	int64_t line_ms; /* see clock_hold(); 0 or absent: unknown */
};

#define MARK_LEAST offsetof(struct mark, line_ms)

static void read_boot_id(char out[40])
{
	memset(out, 0, 40);
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	ssize_t n = read(fd, out, 36);
	if (n < 0)
		out[0] = 0;
	close(fd);
}

static bool read_mark(const char *dir, struct mark *m)
{
	struct store_path file = store_path("%s/journal.mark", dir);
	const char *path = file.text;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	*m = (struct mark){.line_ms = 0};
	ssize_t n = read(fd, m, sizeof *m);
	close(fd);
	return n == (ssize_t)sizeof *m || n == (ssize_t)MARK_LEAST;
}

/* Returns false with errno. */
static bool store_mark_write_new(const char *path, const struct mark *m)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool ok = fd >= 0 && write(fd, m, sizeof *m) == (ssize_t)sizeof *m &&
		  fsync(fd) == 0;
	int why = errno;
	if (fd >= 0)
		close(fd);
	errno = why;
	return ok;
}

/*
 * Write under another name first, so that readers, and the successor of a
 * keeper that was killed here, find a whole mark and need not discard the
 * journal.
 */
static int write_mark(const char *dir, const struct mark *m, struct err *err)
{
	struct store_path file = store_path("%s/journal.mark", dir);
	struct store_path fresh = store_path("%s/journal.mark.new", dir);
	if (store_mark_write_new(fresh.text, m) &&
	    rename(fresh.text, file.text) == 0)
		return 0;
	return err_set(err, ERR_STORE, "store: cannot write %s: %s", file.text,
	    strerror(errno));
}

/* What cannot be removed (a folder, for instance) is renamed. */
static int throw_away(const char *path, struct err *err)
{
	struct store_path aside =
	    store_path("%s.corrupt-%lld", path, (long long)clock_wall_ms());
	store_remove_lock(path);
	if (unlink(path) == 0 || errno == ENOENT ||
	    rename(path, aside.text) == 0)
		return 0;
	return err_set(err, ERR_STORE, "store: cannot remove %s: %s", path,
	    strerror(errno));
}

/* A process that finds damaged pages in the journal creates this file. */
static struct store_path damage_path(const char *dir)
{
	return store_path("%s/journal.damaged", dir);
}

bool store_mark_damage(const char *dir)
{
	int fd = open(damage_path(dir).text,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

int store_mark_renew(const char *dir, struct err *err)
{
	struct mark now = {.epoch = 0}, old;
	struct store_path damage = damage_path(dir);
	bool is_damaged = access(damage.text, F_OK) == 0;
	read_boot_id(now.boot_id);
	if (read_mark(dir, &old)) {
		bool is_same =
		    memcmp(old.boot_id, now.boot_id, sizeof now.boot_id) == 0;
		if (is_same && !is_damaged)
			return 0;
		now.epoch = old.epoch;
		now.line_ms = is_same ? old.line_ms : 0;
	}
	struct store_path file = store_file(dir, STORE_JOURNAL);
	if (throw_away(file.text, err) != 0)
		return -1;
	(void)unlink(damage.text);
	return write_mark(dir, &now, err);
}

bool store_mark_exists(const char *dir)
{
	struct mark m;
	return read_mark(dir, &m);
}

int store_mark_epoch(const char *dir, uint64_t *epoch, struct err *err)
{
	struct mark m = {.epoch = 0};
	if (!read_mark(dir, &m))
		read_boot_id(m.boot_id);
	uint64_t now = (uint64_t)clock_wall_ms();
	*epoch = m.epoch = now > m.epoch ? now : m.epoch + 1;
	return write_mark(dir, &m, err);
}

int64_t store_mark_line(const char *dir)
{
	struct mark m;
	return read_mark(dir, &m) ? m.line_ms : 0;
}

int store_mark_set_line(const char *dir, int64_t line_ms, struct err *err)
{
	struct mark m;
	if (!read_mark(dir, &m))
		return err_set(
		    err, ERR_STORE, "store: %s/journal.mark is missing", dir);
	m.line_ms = line_ms;
	return write_mark(dir, &m, err);
}
