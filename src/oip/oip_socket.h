/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OIP_OIP_SOCKET_H
#define OIP_OIP_SOCKET_H

/*
 * The ConnectOnion door: GET /ws becomes a WebSocket, which oip_carrier.h
 * serves. Connections are closed with 1012 when the process exits, and with
 * 1008 when the caller is blocked.
 */
#include "door/door.h"

#include <stddef.h>

struct conf;

extern const struct door oip_door;

/* Returns the size of the largest message that a client may send. */
size_t oip_socket_max_message(const struct conf *conf);

#endif
