/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/fds.h"

#include <fcntl.h>
#include <unistd.h>

void fds_fill_standard(void)
{
	int fd;
	/*
	 * open() returns the lowest free descriptor: those below it are in use.
	 */
	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd < 0)
		_exit(1);
	(void)close(fd);
}
