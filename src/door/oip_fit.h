/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DOOR_OIP_FIT_H
#define DOOR_OIP_FIT_H

/*
 * The Python client up to 1.7 closes its socket at a message above 1 MiB. What
 * OUTPUT and CONNECTED carry for convenience is left out for it, step by step:
 * chat_items, the trace, images in messages, and at last all of the
 * conversation but its numbers. When the client brings back so little of it,
 * with the same numbers, the server's own counts (doc/oip.txt 11).
 */
#include <stdbool.h>

#include "base/buf.h"

/* Frames for such a client are smaller. */
#define OIP_FIT_BYTES (1024 * 1024)

/*
 * Make a frame small enough. Returns false, and leaves it as it is or smaller,
 * if it cannot be.
 */
bool oip_fit(struct buf *frame);

#endif
