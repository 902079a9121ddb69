/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BASE_FDS_H
#define BASE_FDS_H

/* The descriptors a process was started with. */

/*
 * Open /dev/null as standard input, output and error where these are closed. A
 * program must call this first; otherwise the next file it opens becomes its
 * standard output, and what it prints is written into that file. Ends the
 * process if /dev/null cannot be opened, since there is nowhere to report it.
 */
void fds_fill_standard(void);

/*
 * The same for a program whose output is its purpose: what it writes to an
 * output that was closed fails with EBADF, and is not lost in silence.
 */
void fds_fill_unwritable(void);

#endif
