/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* The mapped offset in ms; another process may change it at any time. */
static const int64_t *offset_ms;

/* The same for the wall clock alone, or NULL. */
static const int64_t *wall_offset_ms;

/* Wall time minus boot time when the wall clock was last trusted, or NULL. */
static const _Atomic int64_t *line;

static int64_t read_unmoved_us(clockid_t id)
{
	struct timespec ts;

	/* Cannot fail: both clocks exist on every Linux. */
	(void)clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int64_t read_us(clockid_t id)
{
	int64_t us = read_unmoved_us(id);
	if (offset_ms)
		us += __atomic_load_n(offset_ms, __ATOMIC_RELAXED) * 1000;
	return us;
}

/*
 * Map 8 bytes of fd. Returns NULL with errno if the file is shorter or cannot
 * be mapped.
 */
static const int64_t *map_offset(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return NULL;
	if (st.st_size < (off_t)sizeof *offset_ms) {
		errno = EINVAL; /* reading beyond the end would raise SIGBUS */
		return NULL;
	}
	size_t n = (size_t)st.st_size < 2 * sizeof *offset_ms ? 1 : 2;
	void *p =
	    mmap(NULL, n * sizeof *offset_ms, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return NULL;
	wall_offset_ms = n == 2 ? (const int64_t *)p + 1 : NULL;
	return p;
}

int64_t clock_wall_ms(void)
{
	return clock_wall_us() / 1000;
}

int64_t clock_wall_us(void)
{
	int64_t us = read_us(CLOCK_REALTIME);
	if (wall_offset_ms)
		us += __atomic_load_n(wall_offset_ms, __ATOMIC_RELAXED) * 1000;
	return us;
}

int64_t clock_mono_ms(void)
{
	return read_us(CLOCK_MONOTONIC) / 1000;
}

int64_t clock_mono_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}

int64_t clock_steady_us(void)
{
	return read_unmoved_us(CLOCK_MONOTONIC);
}

int64_t clock_boot_ms(void)
{
	return read_us(CLOCK_BOOTTIME) / 1000;
}

int64_t clock_expiry_ms(void)
{
	int64_t now_ms = clock_wall_ms();
	int64_t line_ms = line ? atomic_load(line) : 0;
	if (!line_ms)
		return now_ms;
	int64_t most_ms = line_ms + clock_boot_ms();
	return now_ms < most_ms ? now_ms : most_ms;
}

void clock_hold(const _Atomic int64_t *line_ms)
{
	line = line_ms;
}

bool clock_follow(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;

	const int64_t *mapped = map_offset(fd);
	int saved = errno;
	(void)close(fd); /* it was only read; the mapping stays */
	errno = saved;
	if (mapped)
		offset_ms = mapped;
	return mapped;
}

bool clock_is_followed(void)
{
	return offset_ms;
}
