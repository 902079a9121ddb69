/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MASTER_NOTIFY_H
#define MASTER_NOTIFY_H

/*
 * Notifications to the service manager: the protocol of sd_notify(3), without
 * its library. Without a service manager these calls do nothing.
 */
#include <stdbool.h>
#include <stdint.h>

/*
 * Connect to $NOTIFY_SOCKET, while we are still the user who may. Later
 * messages go to this socket or, if it is gone, to the one that has its name by
 * then.
 */
void notify_open(void);

/*
 * Say nothing from now on, or speak again: while two masters live, only one of
 * them is the main process that the service manager listens to.
 */
void notify_hold(bool is_held);

/*
 * Send a state such as "READY=1" to $NOTIFY_SOCKET (a path, or "@" and an
 * abstract name). Errors are ignored, since there is nowhere to report them.
 */
void notify_state(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Store a descriptor with the service manager under a name, so that the next
 * start gets it. Returns whether there is a manager that was sent it.
 */
bool notify_store(const char *name, int fd);

/*
 * Returns after how many ms without a watchdog notification the service manager
 * takes us for hung ($WATCHDOG_USEC); 0: it expects none.
 */
int64_t notify_patience_ms(void);

/*
 * Send a watchdog notification if one is expected and half of that time has
 * passed. Cheap enough for every turn of a loop.
 */
void notify_alive(void);

#endif
