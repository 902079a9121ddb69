/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef FILES_ACTIVITY_H
#define FILES_ACTIVITY_H

/*
 * The agent log, .co/logs/{agent}.log: what the agent did, for people to read.
 * Lines are written whole with O_APPEND, so workers can share the file; above
 * 10 MiB it is rotated to .log.1. Control characters are escaped, so that no
 * text can forge a line; the signs for success, failure and arrows become
 * ASCII. Lines are buffered and written together. Write errors are ignored: the
 * log must not stop the work.
 */
#include <stddef.h>

struct activity;

/* Returns the path of this agent's log; free() it. */
char *activity_path(const char *co_dir, const char *name);

/*
 * Open logs/{name}.log under co_dir (created with mode 0600); name is converted
 * to a safe file name.
 */
struct activity *activity_open(const char *co_dir, const char *name);

/* Add one line: [HH:MM:SS] session=... text. */
void activity_line(
    struct activity *a, const char *session_id, const char *text, size_t len);

/* Write the header that marks a start of the server. */
void activity_start(struct activity *a);

/*
 * Write the buffered lines. Call it at the end of a tick, at least every 100
 * ms.
 */
void activity_flush(struct activity *a);

/* Open the file again, after a rotation. */
void activity_reopen(struct activity *a);

/* Write the buffered lines, close, and null *a. */
void activity_close(struct activity **a);

#endif
