/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MUX_SENDER_H
#define MUX_SENDER_H

/*
 * The sender takes what turns write and brings it to the server.
 *
 * A turn may write while it has credit; a frame may be larger than what is left
 * of it. A turn without credit waits, or keeps up to SENDER_BACKLOG_MAX bytes
 * and its last frame back if it must not wait. All turns wait while
 * SENDER_BYTES_MAX bytes are on their way.
 *
 * Frames go out at once if none went out within SENDER_PAUSE_US. Otherwise they
 * follow together after this time, or when a turn ends: a system call for each
 * event would cost more than many an event. Who writes also sends, unless the
 * thread that reads the socket is awake and does.
 *
 * Callers hold the lock.
 */
#include "mux/outbox.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct turn;

#define SENDER_PAUSE_US 500
#define SENDER_BYTES_MAX ((size_t)4 << 20)
#define SENDER_BACKLOG_MAX ((size_t)8 << 20)

/* How a frame is written: any of these. */
enum sender_how {
	SENDER_LAST = 1,  /* it is the last of its turn */
	SENDER_WAIT = 2,  /* wait for room: the lock is free meanwhile */
	SENDER_KEEP = 4,  /* keep it back where there is no credit */
	SENDER_ALONE = 8, /* whatever the credit: nothing else can follow */
};

enum sender_result {
	SENDER_DONE,
	SENDER_NO_ROOM,	 /* ask again, with SENDER_WAIT */
	SENDER_OVER,	 /* the turn has ended */
	SENDER_TOO_MUCH, /* more would be kept back than may be */
};

/* Frames go to this socket; a write of 8 bytes to wake wakes its reader. */
void sender_open(int sock, int wake);

/*
 * Write a frame of a turn, or of the process (0), which needs no credit. What a
 * closed turn writes is dropped, except for its last frame.
 */
enum sender_result sender_write(
    uint64_t turn, const char *json, size_t len, unsigned how);

/* The server has given credit back. */
void sender_credit(struct turn *t, int64_t bytes);

/* Nobody listens to the turn any more. */
void sender_close(struct turn *t);

/* Returns how many last frames were written. */
uint64_t sender_ended(void);

/* ---- for the thread that reads the socket ---- */

/* Send; *n is how many bytes went out. */
enum outbox_end sender_send(size_t *n);

/*
 * From now on, who writes sends or wakes. Returns false, and does not sleep, if
 * something waits to be sent.
 */
bool sender_doze(void);
void sender_rise(void);

/* Send all within ms, whoever waits meanwhile. Returns whether it went out. */
bool sender_finish(int ms);

#endif
