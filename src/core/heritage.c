/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "core/heritage.h"

#include <sys/mman.h>

int heritage_lay_window(struct heritage *h, int window_fd)
{
	if (!h->has_window)
		return 0;
	void *p = mmap(h, HERITAGE_WINDOW, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_FIXED, window_fd, 0);
	return p == MAP_FAILED ? -1 : 0;
}
