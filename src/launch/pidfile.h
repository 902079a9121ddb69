/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef LAUNCH_PIDFILE_H
#define LAUNCH_PIDFILE_H

/*
 * The file with the master's pid, locked while the master lives: a second
 * server with the same file does not start. Without pidfile_open() the other
 * calls do nothing. Errors end the process.
 */
struct passwd;

/*
 * Open and lock path (absolute; borrowed for good), and give it to user if not
 * NULL.
 */
void pidfile_open(const char *path, const struct passwd *user);

/* Write our process id. */
void pidfile_write(void);

/* Remove it at exit. */
void pidfile_remove(void);

#endif
