/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WEBSOCKET_WS_TALLY_H
#define WEBSOCKET_WS_TALLY_H

/*
 * How large an incoming message is, by the heads of its frames: so that one
 * that is too large is refused before its bytes come. Pure functions.
 */
#include <wslay/wslay.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ws_tally {
	uint8_t frame_opcode;	/* of the current frame */
	uint8_t message_opcode; /* of the current message */
	size_t bytes;		/* of that message, as announced */
	size_t fragments;	/* of that message; 0: between messages */
};

/*
 * A frame begins. Returns whether its message is within these limits; frames of
 * control, which may come between the fragments of a message, always are.
 */
static inline bool ws_tally_frame(struct ws_tally *t, uint8_t opcode,
    uint64_t len, size_t max_bytes, size_t max_fragments)
{
	t->frame_opcode = opcode;
	if (wslay_is_ctrl_frame(opcode))
		return true;
	if (opcode != WSLAY_CONTINUATION_FRAME) {
		t->message_opcode = opcode;
		t->bytes = 0;
		t->fragments = 0;
	}
	t->fragments++;
	/* The sum cannot overflow: both were checked before they were added. */
	if (len > max_bytes - t->bytes || t->fragments > max_fragments)
		return false;
	t->bytes += len;
	return true;
}

/* Whether the current frame brings text of a message. */
static inline bool ws_tally_is_text(const struct ws_tally *t)
{
	return !wslay_is_ctrl_frame(t->frame_opcode) &&
	       t->message_opcode == WSLAY_TEXT_FRAME;
}

#endif
