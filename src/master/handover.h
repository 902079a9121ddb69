/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MASTER_HANDOVER_H
#define MASTER_HANDOVER_H

/*
 * What a master leaves to the master of another program that takes its place
 * (USR2). It executes that program with its own command line and --takeover,
 * and with these descriptors; the others are as in core/heritage.h: the
 * settings of the generation that serves, the segment, the listener, the lock
 * and the sending ends of all mailboxes.
 *
 * The two talk over a pair of sockets, one message a packet:
 *
 *	R	to the old one: all processes of the first generation serve
 *	M	to the new one: you are the master now
 *	F text	to the old one: this is why it cannot be
 *
 * Each of the two keeps to its own processes; slots are claimed in the segment.
 */
#include "core/heritage.h"

#include <stdbool.h>

#define HANDOVER_FD_BRIDGE 5 /* the pair of sockets */
#define HANDOVER_FD_PID 10   /* the pid file, if it could not be put aside */
#define HANDOVER_FD_READERS (HERITAGE_FD_MAILBOXES + HERITAGE_SLOTS)

#define HANDOVER_READY 'R'
#define HANDOVER_MASTER 'M'
#define HANDOVER_FAILED 'F'

/* The longest message in bytes. */
#define HANDOVER_MAX 400

/*
 * Note that we are to take over from the master that started us: our
 * descriptors are then closed in programs that we execute, and nothing is said
 * to the service manager. Returns false if no master has started us.
 */
bool handover_claim(void);

/* Whether we were started to take over and are not the master yet. */
bool handover_is_due(void);

/* We are the master now. */
void handover_end(void);

/*
 * Tell the old master why we cannot take over. Returns whether that is all to
 * be told: it is due.
 */
bool handover_fail(const char *text);

/* Returns the descriptor of the pid file that we take over, or -1. */
int handover_pid_fd(void);

/* Send one message. Returns false if nobody receives it. */
bool handover_send(int bridge, char what, const char *text);

#endif
