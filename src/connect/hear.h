/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CONNECT_HEAR_H
#define CONNECT_HEAR_H

/*
 * What an agent says to a client once it was sent CONNECT: the greeting, events,
 * questions, and the ends of operations (doc/oip.txt).
 */
struct co_client;
struct json;

/*
 * Take one frame. The phase becomes PHASE_OPEN with CONNECTED; what cannot go
 * on is left to client_fault().
 */
void hear_frame(struct co_client *c, const struct json *frame);

#endif
