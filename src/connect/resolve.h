/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CONNECT_RESOLVE_H
#define CONNECT_RESOLVE_H

/*
 * Looking up the addresses of a host. getaddrinfo() blocks, so it runs on a
 * thread that lives for this one call. An address in place of a name needs none.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct addrinfo;
struct resolve;

/* Begin. Never returns NULL; what fails is told by resolve_take(). */
struct resolve *resolve_start(const char *host, uint16_t port);

/* Returns a descriptor that becomes readable when the result is there. */
int resolve_fd(const struct resolve *r);

/*
 * Take the result: returns false if there is none yet. *list is for
 * freeaddrinfo(); or NULL, and why (size bytes) says why not, as the end of a
 * sentence about the host.
 */
bool resolve_take(
    struct resolve *r, struct addrinfo **list, char *why, size_t size);

/* Free, and null *r. The thread may still be busy for some time. */
void resolve_free(struct resolve **r);

#endif
