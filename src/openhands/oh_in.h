/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OPENHANDS_OH_IN_H
#define OPENHANDS_OH_IN_H

/*
 * Packets of a client: it connects, acts, and disconnects. These are the calls
 * of struct engine_user.
 */
#include <stddef.h>

struct engine_side;

/* A packet of Socket.IO came. The side may be gone afterwards. */
void oh_in_packet(struct engine_side *side, const char *text, size_t len);

/* An attachment came; events with attachments have no effect. */
void oh_in_attachment(struct engine_side *side);

/* The client listens only: connect it. */
void oh_in_silent(struct engine_side *side);

/* End its session if its caller is blocked. The side may be gone afterwards. */
void oh_in_end_if_blocked(struct engine_side *side);

/* The side is gone. */
void oh_in_gone(struct engine_side *side);

#endif
