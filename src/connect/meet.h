/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CONNECT_MEET_H
#define CONNECT_MEET_H

/*
 * A WebSocket to the agent once it is open: SEAL, CONNECT, and then the frames
 * that come, opened and passed on to hear.h. Faults are left to client_fault().
 */
struct ws_client_handlers;

/* What the connection reports; arg is the client (struct co_client). */
extern const struct ws_client_handlers meet_handlers;

#endif
