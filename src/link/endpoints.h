/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef LINK_ENDPOINTS_H
#define LINK_ENDPOINTS_H

/*
 * The URLs at which clients may reach this server directly, as it tells a
 * relay: those of its public name, or else one for each address of this machine
 * that it listens on. Each comes twice, as "http://..." and as "ws://.../ws".
 */
#include <stdbool.h>

struct buf;

struct endpoints {
	const char *bound;  /* the listener: "0.0.0.0:8000", "unix:/path" */
	const char *domain; /* public name of a proxy with TLS; "": none */
	bool has_loopback;  /* clients may be on this machine */
};

/*
 * Append a JSON array; interfaces are read anew each time. Addresses of links
 * alone (fe80::) are left out, and what exceeds 16 addresses.
 */
void endpoints_write(struct buf *out, const struct endpoints *e);

#endif
