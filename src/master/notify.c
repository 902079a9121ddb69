/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "master/notify.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void notify_state(const char *fmt, ...)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	const char *path = getenv("NOTIFY_SOCKET");
	char text[256];
	va_list ap;
	if (!path || (*path != '/' && *path != '@') ||
	    strlen(path) >= sizeof a.sun_path)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	memcpy(a.sun_path, path, strlen(path));
	if (*path == '@')
		a.sun_path[0] = 0;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	socklen_t len =
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	(void)sendto(
	    fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&a, len);
	close(fd);
}

void notify_alive(void)
{
	static int64_t told_us;
	const char *patience = getenv("WATCHDOG_USEC");
	long long patience_us = patience ? strtoll(patience, NULL, 10) : 0;
	int64_t now = clock_mono_us();
	if (patience_us <= 0 || now - told_us < patience_us / 2)
		return;
	told_us = now;
	notify_state("WATCHDOG=1");
}
