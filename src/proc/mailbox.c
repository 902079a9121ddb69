/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "proc/mailbox.h"

#include <errno.h>
#include <string.h>
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

bool mailbox_send_fd(int sender, const void *msg, size_t n, int fd)
{
	_Alignas(struct cmsghdr) char room[CMSG_SPACE(sizeof fd)] = "";
	char copy[MAILBOX_MAX];
	struct iovec part = {copy, n};
	struct msghdr m = {
	    .msg_iov = &part,
	    .msg_iovlen = 1,
	    .msg_control = room,
	    .msg_controllen = sizeof room,
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	ssize_t sent;

	memcpy(copy, msg, n);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	do
		sent = sendmsg(sender, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent == (ssize_t)n;
}

/* Returns the descriptor in a message, or -1. */
static int fd_of(struct msghdr *m)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	int fd = -1;

	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(c), sizeof fd);
	return fd;
}

size_t mailbox_receive_fd(int reader, void *msg, size_t size, int *fd)
{
	_Alignas(struct cmsghdr) char room[CMSG_SPACE(sizeof *fd)];
	struct iovec part = {msg, size};
	struct msghdr m = {
	    .msg_iov = &part,
	    .msg_iovlen = 1,
	    .msg_control = room,
	    .msg_controllen = sizeof room,
	};
	ssize_t n;

	do
		n = recvmsg(reader, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	*fd = n > 0 ? fd_of(&m) : -1;
	return n > 0 ? (size_t)n : 0;
}
