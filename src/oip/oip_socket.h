/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OIP_OIP_SOCKET_H
#define OIP_OIP_SOCKET_H

/*
 * The ConnectOnion door: GET /ws becomes a WebSocket, which oip_carrier.h
 * serves. At the end it closes with 1012, for the blocked with 1008.
 */
#include "door/door.h"

extern const struct door oip_door;

#endif
