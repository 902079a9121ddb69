/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MUX_CRASH_H
#define MUX_CRASH_H

/*
 * A fault that ends the process (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT) is
 * reported before it does. The handler keeps the turn of the thread, wakes the
 * thread that owns the socket, and waits up to a second until that has told the
 * server; then what would have happened without us happens.
 */
#include <stdbool.h>
#include <stdint.h>

/* Install the handlers. They wake by a write of 8 bytes to this descriptor. */
void crash_open(int wake);

/* The thread that tells the server, for whose own faults nobody waits. */
void crash_teller(void);

/* Whether a thread waits in a handler; then its turn and the signal. */
bool crash_happened(uint64_t *turn, int *signal);

/* The server knows: the thread that waits may die. */
void crash_told(void);

#endif
