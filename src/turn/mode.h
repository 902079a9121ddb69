/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef TURN_MODE_H
#define TURN_MODE_H

/* Modes of a session: see session.h. Here is what the end of a turn does. */
struct buf;

/*
 * A turn in full-access has ended: one turn less is left in this conversation,
 * and after the last one it is auto again. Other modes stay.
 */
void mode_count_turn(struct buf *talk);

#endif
