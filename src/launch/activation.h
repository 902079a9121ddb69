/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef LAUNCH_ACTIVATION_H
#define LAUNCH_ACTIVATION_H

/*
 * The listener that a service manager passes at the start: the protocol of
 * sd_listen_fds(3), without its library. It comes from a socket unit, or is our
 * own, which we stored with the manager in an earlier life (FDSTORE). In both
 * cases it outlives us: clients that connect while no server runs wait in its
 * queue. So it is never shut down, and its file never removed.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Take what was passed: call it early, before descriptors are opened. It is
 * closed in programs that we execute, and its variables are removed from the
 * environment. Ends the process if there is more than one, or if it is no
 * listening stream socket.
 */
void activation_claim(void);

/*
 * Returns the listener that was passed, or -1; name (size bytes) gets its
 * address. The address of a socket unit replaces the settings where and port;
 * our own from an earlier life is closed if they have changed.
 */
int activation_listen(const char *where, int64_t port, char *name, size_t size);

/*
 * Store our listener with the service manager, unless it was passed by it, if
 * $FDSTORE says that it stores descriptors. Call it after notify_open() and when
 * the log is open.
 */
void activation_store(int listen_fd);

/* Whether the listener outlives us. */
bool activation_is_kept(void);

#endif
