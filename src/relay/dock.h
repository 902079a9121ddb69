/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef RELAY_DOCK_H
#define RELAY_DOCK_H

/*
 * The dock hands clients over to other workers: the socket, what was read from
 * it, and the client's first frame, which a worker has read to find out where
 * its agent is. The bytes go in a memory file, so that they may be of any size;
 * after this, no payload crosses processes.
 *
 * A full mailbox is tried again for a moment; a client that cannot be handed
 * over is disconnected. Loop's thread only.
 */
#include "base/buf.h"
#include "net/ws.h"

#include <stdbool.h>
#include <stddef.h>

struct dock;
struct loop;
struct msg;

/* A client on its way. */
struct dock_load {
	struct ws_parcel parcel;
	struct buf first; /* its first frame */
	unsigned moves;	  /* how often it was handed over, this time included */
};

/* The most often that a client is handed over: agents move rarely. */
#define DOCK_MOVES 4

/* Create a dock. Never returns NULL. */
struct dock *dock_new(struct loop *l);

/* Disconnect those that still wait, free, and set *d to NULL. */
void dock_free(struct dock **d);

/*
 * Hand a client over to the process in a slot. Takes what the load holds. If
 * the agent has left that process when the client arrives, it looks for the
 * agent again.
 */
void dock_send(struct dock *d, unsigned slot, struct dock_load *load);

/*
 * Unpack what came with a MSG_MOVED, and take its descriptors. Returns false if
 * it cannot be read; then the client is disconnected.
 */
bool dock_receive(
    struct dock_load *load, const struct msg *m, const int *fds, size_t n_fds);

/* Free a load, and close its socket. */
void dock_load_fini(struct dock_load *load);

#endif
