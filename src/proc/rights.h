/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef PROC_RIGHTS_H
#define PROC_RIGHTS_H

/*
 * Descriptors that go with a message over a Unix socket: SCM_RIGHTS of unix(7).
 * The receiver gets copies, which share offset and status flags with ours. No
 * call allocates memory, so that a process between fork() and execve() may use
 * them too.
 */
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The maximum number of descriptors with one message. */
#define RIGHTS_MAX 4

/*
 * Send n bytes, at least one, with n_fds descriptors (0 to RIGHTS_MAX), which
 * stay open here. The flags are those of sendmsg(2), and MSG_NOSIGNAL. Returns
 * whether the message was sent, else with errno.
 */
bool rights_send(int sock, const void *msg, size_t n, const int *fds,
    size_t n_fds, int flags);

/*
 * Receive a message of at most size bytes. *n_fds is the room in fds, and
 * becomes the number that came; the caller owns them, they are CLOEXEC, and the
 * rest of fds is unchanged. The kernel closes those that find no room. The flags
 * are those of recvmsg(2). Returns the length, 0 at the end of file, or -1 with
 * errno.
 */
ssize_t rights_receive(
    int sock, void *msg, size_t size, int *fds, size_t *n_fds, int flags);

/* Close them, if they are not -1, and set them to -1. */
void rights_close(int *fds, size_t n);

#endif
