/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MASTER_LISTEN_H
#define MASTER_LISTEN_H

/*
 * The listener: opened once by the master, inherited by every generation of
 * workers.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/*
 * Listen on an IPv4 or IPv6 address and a port, or on unix:PATH (mode 0660; a
 * stale socket file is replaced if nothing answers on it). Returns the
 * descriptor (non-blocking, CLOEXEC), or -1 with ERR_CONFIG. name (size bytes)
 * gets the bound address, "127.0.0.1:8000" or "unix:/path".
 */
int listen_open(
    const char *where, int64_t port, char *name, size_t size, struct err *err);

/* Write the address of a listener to name (size bytes), as listen_open() does. */
void listen_describe(int fd, char *name, size_t size);

/* Whether a listener is the one that listen_open() would give. */
bool listen_is_at(int fd, const char *where, int64_t port);

/* Remove the socket file of a unix listener. */
void listen_remove(const char *where);

#endif
