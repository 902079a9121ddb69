/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OIP_OIP_FIT_H
#define OIP_OIP_FIT_H

/*
 * Python clients up to 1.8 close their socket on a message above 1 MiB, and
 * cannot be told from others. So the convenience parts of OUTPUT and CONNECTED
 * are left out step by step: chat_items, the trace, images in messages, and at
 * last all of the conversation except its numbers. If a client sends such a
 * stub back with the same numbers, the server's own conversation is used
 * (doc/oip.txt 11).
 */
#include "base/buf.h"

#include <stdbool.h>

/* Frames must be smaller than this. */
#define OIP_FIT_BYTES ((size_t)1024 * 1024)

/*
 * The same limit for a frame that will be sealed: base64, and what surrounds
 * it.
 */
#define OIP_FIT_SEALED_BYTES ((OIP_FIT_BYTES - 256) / 4 * 3)

/*
 * Make a frame smaller than max. Returns false if that is impossible; the frame
 * is then unchanged or smaller.
 */
bool oip_fit(struct buf *frame, size_t max);

#endif
