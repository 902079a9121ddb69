/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WORKER_DOOR_TABLE_H
#define WORKER_DOOR_TABLE_H

/*
 * The doors of a worker (door/door.h): a table, and the calls to those that are
 * on (core/doors.h). One per process.
 */
struct door_setup;
struct http;
struct msg;

/*
 * Mount the doors that are on in the settings. The WebSockets of the others get
 * 404. Both must outlive the doors.
 */
void door_table_mount(struct http *http, const struct door_setup *setup);

/* The same calls as in struct door, to all that are mounted. */
void door_table_drain(void);
void door_table_end_blocked(void);
void door_table_receive(const struct msg *m);
void door_table_close_all(void);

#endif
