/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef NET_CONNECT_H
#define NET_CONNECT_H

/*
 * TCP connections to named hosts. Looking up a name blocks, and so may a
 * connection, so both happen on a thread of a crew (proc/crew.h). The addresses
 * of a host are tried one after the other. Loop's thread only.
 */
#include <stdint.h>

struct connect_call;
struct crew;

/*
 * Receives the result: a connected socket, non-blocking and CLOEXEC, that the
 * receiver owns; or -1 and why, as the end of a sentence about the host ("cannot
 * be reached: Connection refused"), valid inside the call only.
 */
typedef void connect_fn(void *arg, int fd, const char *why);

/*
 * Connect to a name or address. timeout_ms is for each address. fn is called
 * once, later, unless connect_forget() comes first. Returns NULL, and never
 * calls fn, if the crew has no room.
 */
struct connect_call *connect_start(struct crew *crew, const char *host,
    uint16_t port, int64_t timeout_ms, connect_fn *fn, void *arg);

/*
 * Cancel the callback, and null *call. A thread may be busy with the call for
 * some time after that.
 */
void connect_forget(struct connect_call **call);

#endif
