/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef TURN_MODE_H
#define TURN_MODE_H

/* Modes of a session (see session.h): what happens at the end of a turn. */
struct buf;

/*
 * A turn in full-access has ended: count it in this conversation; after the
 * last one the mode becomes auto. Other modes stay.
 */
void mode_count_turn(struct buf *talk);

#endif
