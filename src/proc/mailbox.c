/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "proc/mailbox.h"

#include "proc/rights.h"

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
	return rights_send(sender, msg, n, NULL, 0, MSG_DONTWAIT);
}

bool mailbox_send_fds(
    int sender, const void *msg, size_t n, const int *fds, size_t n_fds)
{
	return rights_send(sender, msg, n, fds, n_fds, MSG_DONTWAIT);
}

size_t mailbox_receive(int reader, void *msg, size_t size)
{
	size_t none = 0;
	ssize_t n =
	    rights_receive(reader, msg, size, NULL, &none, MSG_DONTWAIT);

	return n > 0 ? (size_t)n : 0;
}

size_t mailbox_receive_fds(
    int reader, void *msg, size_t size, int fds[MAILBOX_FDS], size_t *n_fds)
{
	*n_fds = MAILBOX_FDS;
	ssize_t n = rights_receive(reader, msg, size, fds, n_fds, MSG_DONTWAIT);
	return n > 0 ? (size_t)n : 0;
}
