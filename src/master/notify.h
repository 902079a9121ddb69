/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MASTER_NOTIFY_H
#define MASTER_NOTIFY_H

/* Telling the service manager how we are: sd_notify(3), without its library. */

/*
 * Connect to $NOTIFY_SOCKET, while we still are the user who may. What is sent
 * later goes there, and to the socket that has the name then if that is gone.
 */
void notify_open(void);

/*
 * Send a state such as "READY=1" to $NOTIFY_SOCKET (a path, or "@" and an
 * abstract name). Does nothing when there is none; errors are ignored, for
 * nobody could be told.
 */
void notify_state(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Say that we are alive, when the service manager watches ($WATCHDOG_USEC) and
 * half of its patience is over. Cheap enough for each turn of a loop.
 */
void notify_alive(void);

#endif
