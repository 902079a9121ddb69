/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MUX_LOCK_H
#define MUX_LOCK_H

/*
 * The one lock of the process, over turns, hands and what is to be sent. It is
 * held for microseconds: a thread of the interpreter may wait for it without
 * letting others run.
 */
#include <stdbool.h>

/* Take it, and give it back. */
void lock_enter(void);
void lock_leave(void);

/* Take it if that is possible within ms: its holder may have crashed. */
bool lock_enter_within(int ms);

/* Give it back, and take it again when another thread calls lock_wake_all(). */
void lock_wait(void);

/* End the wait of all threads. */
void lock_wake_all(void);

#endif
