/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef PROC_MAILBOX_H
#define PROC_MAILBOX_H

/*
 * A mailbox carries small messages to one process slot: a SEQPACKET socket pair
 * made by the master, of which the slot's process holds the reading end and
 * everybody the sending end. Messages are best effort: a full mailbox drops,
 * and the sender is told. Any process or thread may send; one process receives.
 */
#include <stdbool.h>
#include <stddef.h>

/* Most bytes in one message. */
#define MAILBOX_MAX 64

struct mailbox_ends {
	int reader;
	int sender;
};

/*
 * A new mailbox, both ends non-blocking and
 * CLOEXEC. Returns 0, or -1 with errno.
 */
int mailbox_open(struct mailbox_ends *ends);

/* Send one message of n bytes (n <= MAILBOX_MAX); false when it was dropped. */
bool mailbox_send(int sender, const void *msg, size_t n);

/*
 * Take one message into msg (size bytes); its length, or 0 when there is none.
 */
size_t mailbox_receive(int reader, void *msg, size_t size);

#endif
