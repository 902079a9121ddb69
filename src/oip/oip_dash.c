/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "oip/oip_dash.h"

#include "base/buf.h"
#include "base/clock.h"
#include "core/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Larger pages are not sent (doc/oip.txt 3). */
#define MAX_PAGE_BYTES (2 * 1024 * 1024)

#define LOOK_AGAIN_MS 1000

/* The result of the last check of the file. */
static struct {
	int64_t looked_ms;
	uint64_t tick;
	uint64_t stamp;
} last;

/* Returns a descriptor of the page and fills *st, or returns -1. */
static int open_page(const char *folder, struct stat *st)
{
	struct buf path = {0};
	int fd;

	buf_printf(&path, "%s/dashboard.html", folder ? folder : ".");
	/* Non-blocking, since the name may belong to a FIFO. */
	fd = open(buf_cstr(&path), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	buf_fini(&path);
	if (fd < 0)
		return -1;
	if (fstat(fd, st) == 0 && S_ISREG(st->st_mode) &&
	    st->st_size <= MAX_PAGE_BYTES)
		return fd;
	(void)close(fd); /* opened for reading only */
	return -1;
}

static uint64_t stamp_of(const struct stat *st)
{
	uint64_t stamp = (uint64_t)st->st_ino;

	stamp = stamp * 1000003 + (uint64_t)st->st_size;
	stamp = stamp * 1000003 + (uint64_t)st->st_mtim.tv_sec;
	stamp = stamp * 1000003 + (uint64_t)st->st_mtim.tv_nsec;
	return stamp ? stamp : 1;
}

static bool oip_dash_read_all(struct buf *html, int fd, size_t size)
{
	size_t end = html->len + size;

	(void)buf_reserve(html, size + 1);
	while (html->len < end) {
		ssize_t n = read(fd, html->data + html->len, end - html->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		html->len += (size_t)n;
	}
	return html->len == end;
}

/* Whether the last check answers this client as well. */
static bool is_checked(
    const struct oip_dash_ask *ask, uint64_t stamp, int64_t now_ms)
{
	if (stamp != last.stamp)
		return false;
	if (ask->is_new)
		return !stamp && ask->tick == last.tick;
	return now_ms - last.looked_ms < LOOK_AGAIN_MS;
}

bool oip_dash_read(
    struct buf *html, const struct oip_dash_ask *ask, uint64_t *stamp)
{
	int64_t now = clock_mono_ms();
	struct stat st;
	bool is_whole;
	int fd;

	if (is_checked(ask, *stamp, now))
		return false;
	fd = open_page(ask->conf->co_dir, &st);
	if (fd < 0)
		fd = open_page(ask->conf->project_dir, &st);
	last.looked_ms = now;
	last.tick = ask->tick;
	last.stamp = fd < 0 ? 0 : stamp_of(&st);
	if (fd < 0) {
		*stamp = 0;
		return false;
	}
	is_whole = *stamp != last.stamp &&
		   oip_dash_read_all(html, fd, (size_t)st.st_size);
	*stamp = last.stamp;
	(void)close(fd); /* opened for reading only */
	return is_whole;
}
