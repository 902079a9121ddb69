/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DOOR_BLOCKED_H
#define DOOR_BLOCKED_H

/*
 * Who is blocked while connected hears no more: its WebSockets, its event
 * streams and its requests that wait for a turn are told "forbidden: blocked"
 * and ended. Its turns go on.
 */
struct door_setup;

/* What the blocked are told. */
#define BLOCKED_TEXT "forbidden: blocked"

/* Call every BLOCKED_LOOK_MS: end what is of those who were blocked since. */
void blocked_look(const struct door_setup *setup);

#define BLOCKED_LOOK_MS 500

#endif
