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

/* The same with a file that another master has open, in whose place we come. */
void pidfile_adopt(const char *path, int fd);

/* Write our process id. */
void pidfile_write(void);

/*
 * Another master is about to take our place, and to write a file of its own:
 * rename ours to PATH.oldbin. Returns -1, or the descriptor of the file if it
 * cannot be renamed, which the other one may write instead.
 */
int pidfile_put_aside(void);

/* It did not take our place: rename the file back. */
void pidfile_put_back(void);

/* It did: a file that was not put aside is its own now. */
void pidfile_give_up(void);

/* Remove it at exit. */
void pidfile_remove(void);

#endif
