/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef T_UNIT_SCRATCH_CLOCK_H
#define T_UNIT_SCRATCH_CLOCK_H

/* Clocks that the test moves: all of base/clock.h follow them. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "t/unit/scratch.h"

static int64_t *moved_ms; /* how far the clocks are ahead */

/* Let the clocks follow *moved_ms from now on. */
static inline void follow_clock(void)
{
	static const int64_t zero;
	char *path = scratch_path("clock");

	scratch_write(path, &zero, sizeof zero);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	moved_ms =
	    mmap(NULL, sizeof zero, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd < 0 || moved_ms == MAP_FAILED || !clock_follow(path))
		abort();
	(void)close(fd);
	free(path);
}

/* Let time pass, for all threads. */
static inline void pass_ms(int64_t ms)
{
	__atomic_add_fetch(moved_ms, ms, __ATOMIC_SEQ_CST);
}

#endif
