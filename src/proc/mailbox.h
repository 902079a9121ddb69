/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef PROC_MAILBOX_H
#define PROC_MAILBOX_H

/*
 * A mailbox carries small messages to one process slot. It is a SEQPACKET
 * socket pair created by the master: the process in the slot holds the reading
 * end, all processes hold the sending end. Delivery is best effort: a full
 * mailbox drops the message, and the sender is told. Any process or thread may
 * send; one process receives.
 */
#include <stdbool.h>
#include <stddef.h>

/* The maximum size of one message in bytes. */
#define MAILBOX_MAX 64

struct mailbox_ends {
	int reader;
	int sender;
};

/*
 * Create a mailbox; both ends are non-blocking and CLOEXEC. Returns 0, or -1
 * with errno.
 */
int mailbox_open(struct mailbox_ends *ends);

/*
 * Send one message of n bytes (n <= MAILBOX_MAX). Returns false if it was
 * dropped.
 */
bool mailbox_send(int sender, const void *msg, size_t n);

/* The most descriptors of one message. */
#define MAILBOX_FDS 2

/*
 * The same with descriptors, at least one, of which the receiver gets copies;
 * ours stay open.
 */
bool mailbox_send_fds(
    int sender, const void *msg, size_t n, const int *fds, size_t n_fds);

/*
 * Take one message into msg (size bytes). Returns its length, or 0 if the
 * mailbox is empty.
 */
size_t mailbox_receive(int reader, void *msg, size_t size);

/*
 * The same with the descriptors that came along: *n_fds of them, which are the
 * caller's (CLOEXEC).
 */
size_t mailbox_receive_fds(
    int reader, void *msg, size_t size, int fds[MAILBOX_FDS], size_t *n_fds);

#endif
