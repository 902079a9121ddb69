/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "master/handover.h"

#include "master/notify.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static bool is_due;
static bool has_pid_file;

static bool close_on_exec(int fd)
{
	return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

bool handover_claim(void)
{
	int type;
	socklen_t len = sizeof type;
	if (getsockopt(HANDOVER_FD_BRIDGE, SOL_SOCKET, SO_TYPE, &type, &len) !=
		0 ||
	    type != SOCK_SEQPACKET)
		return false;
	has_pid_file = close_on_exec(HANDOVER_FD_PID);
	for (int fd = HERITAGE_FD_CONF;
	     fd < HANDOVER_FD_READERS + HERITAGE_SLOTS; fd++)
		(void)close_on_exec(fd); /* there are gaps */
	notify_hold(true);
	is_due = true;
	return true;
}

bool handover_is_due(void)
{
	return is_due;
}

void handover_end(void)
{
	is_due = false;
	notify_hold(false);
}

bool handover_send(int bridge, char what, const char *text)
{
	char packet[HANDOVER_MAX];
	int n = snprintf(packet, sizeof packet, "%c%s", what, text);
	size_t len = n < (int)sizeof packet ? (size_t)n : sizeof packet - 1;
	return send(bridge, packet, len, MSG_NOSIGNAL | MSG_DONTWAIT) ==
	       (ssize_t)len;
}

bool handover_fail(const char *text)
{
	if (is_due)
		(void)handover_send(HANDOVER_FD_BRIDGE, HANDOVER_FAILED, text);
	return is_due;
}

int handover_pid_fd(void)
{
	return has_pid_file ? HANDOVER_FD_PID : -1;
}
