/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MUX_LINK_H
#define MUX_LINK_H

/*
 * The link is the socket to the server and the thread that owns it. This thread
 * runs no Python, so frames come and go whatever the interpreter does. It puts
 * new turns into the queue and calls a hand for them, keeps account of credit,
 * checks the memory, and tells the server of a crash. When the server closes the
 * socket, the process ends at once.
 *
 * In a fork the link is cut: the child neither reads nor writes.
 */
#include <stdbool.h>

/* Start the thread. Returns 0, or -1 with errno. */
int link_open(int sock);

/* Whether this process is a fork of the one that opened the link. */
bool link_is_cut(void);

/*
 * Wait for a later frame, the end of the last turn after DRAIN, or a signal.
 * Hold no lock.
 */
void link_await_news(void);

/* There is a later frame that can be heard: end the wait. */
void link_tell_news(void);

/* Whether no turn is left and none will come. Hold the lock. */
bool link_is_drained(void);

/* Give waiting turns back to the server if no thread can take them. */
void link_return_turns(void);

/* A turn has ended. Hold the lock. */
void link_note_end(void);

#endif
