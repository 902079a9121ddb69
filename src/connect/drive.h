/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CONNECT_DRIVE_H
#define CONNECT_DRIVE_H

/*
 * The way to the agent: finding it, connecting, sealing, greeting; and coming
 * back after a break, with growing pauses, until the operation's time is up.
 */
#include <stdint.h>

struct co_client;

/* Do all that can be done without waiting. */
void drive_step(struct co_client *c);

/* Close the connection, if there is one. */
void drive_drop(struct co_client *c);

#endif
