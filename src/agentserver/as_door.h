/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENTSERVER_AS_DOOR_H
#define AGENTSERVER_AS_DOOR_H

/*
 * The door for clients of OpenHands' agent server, its SDK among them
 * (doc/agent-server.txt).
 */
#include "door/door.h"

extern const struct door as_door;

#endif
