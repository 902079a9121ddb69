/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef STATUS_WINDOW_H
#define STATUS_WINDOW_H

/*
 * The window is the part of shared memory that the commands of an operator may
 * read: HERITAGE_WINDOW bytes, a file in /dev/shm, to which the link
 * .co/store/window leads. It holds numbers and log lines, no keys and no
 * conversations. Only its user can read it, and no server believes what is in
 * the file of another.
 *
 * A command copies it and asks nobody, so that it works whatever state the
 * processes of the server are in.
 */
#include <stdbool.h>

struct err;
struct heritage;

/*
 * As the master's user: create the file and the link, and remove what an
 * earlier server left there. All of its room is reserved at once, for a process
 * that finds none later would be killed. Returns a descriptor (read and write,
 * CLOEXEC), or -1 with *err; then there will be no window.
 */
int window_make(const char *co_dir, struct err *err);

/* Remove file and link. */
void window_remove(const char *co_dir);

/*
 * Copy the window into memory, to be freed with free(): a struct heritage up to
 * quotas. Returns NULL with *err: ERR_NOT_FOUND (there is none), ERR_STORE (it
 * cannot be read, or is that of another version).
 */
struct heritage *window_read(const char *co_dir, struct err *err);

#endif
