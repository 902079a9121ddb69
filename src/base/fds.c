/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/fds.h"

#include <fcntl.h>
#include <unistd.h>

static void fill(int mode)
{
	int fd;
	/*
	 * open() returns the lowest free descriptor: those below it are in use.
	 */
	do
		fd = open("/dev/null", mode);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd < 0)
		_exit(1);
	(void)close(fd);
}

void fds_fill_standard(void)
{
	fill(O_RDWR);
}

void fds_fill_unwritable(void)
{
	fill(O_RDONLY);
}
