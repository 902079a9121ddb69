/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "proc/rights.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
	struct cmsghdr head;
	char room[CMSG_SPACE(RIGHTS_MAX * sizeof(int))];
};

bool rights_send(int sock, const void *msg, size_t n, const int *fds,
    size_t n_fds, int flags)
{
	union control control;
	struct iovec part = {(void *)(uintptr_t)msg, n}; /* only read */
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
	ssize_t sent;

	if (n_fds) {
		memset(&control, 0, sizeof control);
		m.msg_control = control.room;
		m.msg_controllen = CMSG_SPACE(n_fds * sizeof *fds);
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(n_fds * sizeof *fds);
		memcpy(CMSG_DATA(&control.head), fds, n_fds * sizeof *fds);
	}
	do
		sent = sendmsg(sock, &m, flags | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent == (ssize_t)n;
}

/* Get the descriptors of a message. Returns their number. */
static size_t take(struct msghdr *m, int *fds)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return 0;
	size_t bytes = c->cmsg_len - CMSG_LEN(0);
	memcpy(fds, CMSG_DATA(c), bytes);
	return bytes / sizeof *fds;
}

ssize_t rights_receive(
    int sock, void *msg, size_t size, int *fds, size_t *n_fds, int flags)
{
	union control control;
	struct iovec part = {msg, size};
	struct msghdr m = {
	    .msg_iov = &part,
	    .msg_iovlen = 1,
	    .msg_control = control.room,
	    /* CMSG_SPACE() may have room for one more, in its padding. */
	    .msg_controllen = CMSG_LEN(*n_fds * sizeof *fds),
	};
	ssize_t len;

	do
		len = recvmsg(sock, &m, flags | MSG_CMSG_CLOEXEC);
	while (len < 0 && errno == EINTR);
	*n_fds = len > 0 ? take(&m, fds) : 0;
	return len;
}

void rights_close(int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (fds[i] >= 0)
			(void)close(fds[i]); /* nothing is written to it */
		fds[i] = -1;
	}
}
