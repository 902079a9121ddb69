/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "master/notify.h"

#include "base/clock.h"
#include "proc/rights.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int manager = -1; /* socket connected to the service manager */
static bool notify_is_held;

void notify_hold(bool is_held)
{
	notify_is_held = is_held;
}

void notify_open(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	const char *path = getenv("NOTIFY_SOCKET");
	if (!path || (*path != '/' && *path != '@') ||
	    strlen(path) >= sizeof a.sun_path)
		return;
	memcpy(a.sun_path, path, strlen(path));
	if (*path == '@')
		a.sun_path[0] = 0;
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (manager < 0)
		return;
	socklen_t len =
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	if (connect(manager, (struct sockaddr *)&a, len) == 0)
		return;
	close(manager);
	manager = -1;
}

static bool notify_say(const char *text)
{
	return manager >= 0 &&
	       send(manager, text, strlen(text), MSG_NOSIGNAL) >= 0;
}

void notify_state(const char *fmt, ...)
{
	char text[256];
	va_list ap;
	if (notify_is_held)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (notify_say(text))
		return;
	if (manager >= 0)
		close(manager);
	manager = -1;
	notify_open();
	(void)notify_say(text);
}

bool notify_store(const char *name, int fd)
{
	char text[128];
	(void)snprintf(text, sizeof text, "FDSTORE=1\nFDNAME=%s", name);
	return manager >= 0 &&
	       rights_send(manager, text, strlen(text), &fd, 1, 0);
}

int64_t notify_patience_ms(void)
{
	const char *patience = getenv("WATCHDOG_USEC");
	long long us = patience ? strtoll(patience, NULL, 10) : 0;
	return us > 0 ? us / 1000 : 0;
}

void notify_alive(void)
{
	static int64_t told_ms;
	int64_t patience = notify_patience_ms();
	int64_t now = clock_mono_ms();
	if (patience <= 0 || now - told_ms < patience / 2)
		return;
	told_ms = now;
	notify_state("WATCHDOG=1");
}
