/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WRAPPER_TERMINAL_H
#define WRAPPER_TERMINAL_H

/*
 * The terminal of the user, for --interactive: while a program has it, it is in
 * raw mode. The wrapper runs in a child of a process that does nothing but wait
 * and, when the wrapper is stopped or has ended, even by SIGKILL, gives the
 * terminal back as it was. One in a process.
 */
#include <stdbool.h>

struct buf;
struct modes;
struct termios;

struct terminal_size {
	unsigned short rows, columns;
};

/*
 * Run this in a child. Returns its exit status, 128 + N for signal N. The
 * terminal is standard input and output; signals to this process are passed on.
 */
int terminal_guard(int (*run)(void *arg), void *arg);

/* The following are for the child. */

/* Open it once more; not blocking. Returns -1 with errno. */
int terminal_open(void);

/* How it was at first; and its size now. */
const struct termios *terminal_settings(void);
struct terminal_size terminal_size(void);

/* What the program has switched on in it, to be kept up to date. */
struct modes *terminal_modes(void);

/*
 * What is to be written when it is given back, besides what undoes the modes;
 * "" at first. A longer text than 200 bytes is ignored.
 */
void terminal_at_end(const struct buf *text);

/* Change to raw mode; and back, with all that the program has switched on. */
void terminal_enter(void);
void terminal_leave(void);

#endif
