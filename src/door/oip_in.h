/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DOOR_OIP_IN_H
#define DOOR_OIP_IN_H

/*
 * The ConnectOnion door (doc/oip.txt), inwards: GET /ws becomes a wire, its
 * frames become session calls. One command table; no socket and no h2o here.
 */
#include "door/door.h"

/* It serves /ws; at the end it closes with 1012, the blocked with 1008. */
extern const struct door oip_door;

#endif
