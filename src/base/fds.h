/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BASE_FDS_H
#define BASE_FDS_H

/* The descriptors a process was started with. */

/*
 * Open /dev/null as standard input, output and error where they are closed. The
 * first thing a program does: else the next file that it opens becomes its
 * standard output, and what it prints is written into that. Ends the process
 * when /dev/null cannot be opened, as nothing could be said.
 */
void fds_fill_standard(void);

#endif
