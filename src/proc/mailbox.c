/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "proc/mailbox.h"

#include <errno.h>
#include <sys/socket.h>

/* Room for bursts: a few thousand notifications while the reader is busy. */
#define QUEUE_BYTES (1024 * 1024)

int mailbox_open(struct mailbox_ends *ends)
{
	int fds[2], size = QUEUE_BYTES;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC,
		0, fds) != 0)
		return -1;
	/* Where the kernel's maximum is lower, that is enough. */
	(void)setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	ends->reader = fds[0];
	ends->sender = fds[1];
	return 0;
}

bool mailbox_send(int sender, const void *msg, size_t n)
{
	ssize_t sent;
	do
		sent = send(sender, msg, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent == (ssize_t)n;
}

size_t mailbox_receive(int reader, void *msg, size_t size)
{
	ssize_t n;
	do
		n = recv(reader, msg, size, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	return n > 0 ? (size_t)n : 0;
}
