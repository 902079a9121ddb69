/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OPENHANDS_OH_DOOR_H
#define OPENHANDS_OH_DOOR_H

/*
 * The OpenHands door: Socket.IO at /socket.io, and REST at
 * /api/conversations (doc/openhands.txt). close_all
 * closes WebSockets with 1001 and answers polls that wait; clients come back.
 */
#include "door/door.h"

extern const struct door oh_door;

#endif
