/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef FILES_ACTIVITY_H
#define FILES_ACTIVITY_H

/*
 * The agent log, .co/logs/{agent}.log: what the agent did, for people. Lines
 * are written whole with O_APPEND, so workers share the file; over 10 MiB it
 * becomes .log.1. Control characters are escaped, so no text can forge a line;
 * the signs for success, failure and arrows become ASCII.
 * Lines are gathered and written together. Errors in writing are ignored: the
 * log must not stop the work.
 */
#include <stddef.h>

struct activity;

/* Where the log of this agent is; free() it. */
char *activity_path(const char *co_dir, const char *name);

/*
 * Open logs/{name}.log under co_dir (made 0600); name is made safe for a file.
 */
struct activity *activity_open(const char *co_dir, const char *name);

/* Add one line: [HH:MM:SS] session=... text. */
void activity_line(
    struct activity *a, const char *session_id, const char *text, size_t len);

/* Write the head of a start of the server. */
void activity_start(struct activity *a);

/* Write what was added. At the end of a tick, every 100 ms at least. */
void activity_flush(struct activity *a);

/* Open the file again, after rotation. */
void activity_reopen(struct activity *a);

/* Write what was added, close and null *a. */
void activity_close(struct activity **a);

#endif
