/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OIP_OIP_FIT_H
#define OIP_OIP_FIT_H

/*
 * The Python client up to 1.8 closes its socket at a message above 1 MiB, and
 * nothing tells it from others. What OUTPUT and CONNECTED carry for convenience
 * is left out, step by step:
 * chat_items, the trace, images in messages, and at last all of the
 * conversation but its numbers. When the client brings back so little of it,
 * with the same numbers, the server's own counts (doc/oip.txt 11).
 */
#include "base/buf.h"

#include <stdbool.h>

/* Frames are smaller. */
#define OIP_FIT_BYTES ((size_t)1024 * 1024)

/* The same of a frame that is sealed then: base64, and what is around it. */
#define OIP_FIT_SEALED_BYTES ((OIP_FIT_BYTES - 256) / 4 * 3)

/*
 * Make a frame smaller than max. Returns false, and leaves it as it is or
 * smaller, if it cannot be.
 */
bool oip_fit(struct buf *frame, size_t max);

#endif
