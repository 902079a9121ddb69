/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WEBSOCKET_WS_CLOSE_H
#define WEBSOCKET_WS_CLOSE_H

/*
 * The code of the peer's close frame. wslay refuses, as a fault of the peer,
 * the codes that were registered after it was written: service restart, try
 * again later, bad gateway. Feed the payload of close frames from its callback
 * for chunks; then it answers such a close as any other.
 */
#include <wslay/wslay.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WS_CLOSE_NEW_FIRST 1012
#define WS_CLOSE_NEW_LAST 1014

struct ws_close {
	int code;   /* what came of it; complete after two bytes */
	unsigned n; /* bytes of it */
};

/* Whether the peer has closed with a code that wslay does not know. */
static inline bool ws_close_is_new(const struct ws_close *c)
{
	return c->n == 2 && c->code >= WS_CLOSE_NEW_FIRST &&
	       c->code <= WS_CLOSE_NEW_LAST;
}

/*
 * A part of the payload of a close frame came. If its code is a new one, queue
 * our answer before wslay queues its refusal, which has no effect then.
 */
static inline void ws_close_take(struct ws_close *c,
    wslay_event_context_ptr frames, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len && c->n < 2; i++) {
		c->code = c->code << 8 | data[i];
		c->n++;
	}
	if (ws_close_is_new(c)) /* a second answer is refused */
		(void)wslay_event_queue_close(
		    frames, WSLAY_CODE_NORMAL_CLOSURE, NULL, 0);
}

#endif
