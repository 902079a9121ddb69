/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DOOR_SERVER_INFO_H
#define DOOR_SERVER_INFO_H

/*
 * GET /alive and /server_info, which the web page of OpenHands and its SDK ask
 * for: that the server is alive, and its name, version and age. They need
 * neither a key nor a signature.
 */
#include "door/conversations.h"

struct door_setup;
struct http;

/* Serve them to the clients of one of the two interfaces. */
void server_info_mount(struct http *http, enum conversations_api api,
    const struct door_setup *given);

#endif
