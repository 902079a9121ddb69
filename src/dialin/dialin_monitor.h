/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DIALIN_DIALIN_MONITOR_H
#define DIALIN_DIALIN_MONITOR_H

/*
 * What dashboards in all workers are told: what agents that have dialed in write
 * by themselves, and not for a command, and emergency stops. A ring in shared
 * memory. The
 * newest 4 MiB are kept; older pieces make room. Each reader has a cursor and
 * is told how many pieces it came too late for. Nothing here outlives the
 * server.
 *
 * One robust lock guards the ring; it is held for copying one piece. A process
 * that dies while it adds a piece leaves the ring without that piece. Loop's
 * thread only; any process.
 */
#include "base/span.h"

#include <stdbool.h>
#include <stdint.h>

struct heritage;
struct dialin_monitor;

/* The size of the ring; a power of two. */
#define DIALIN_MONITOR_BYTES ((uint64_t)4 * 1024 * 1024)

enum dialin_piece_kind {
	DIALIN_PIECE_OUTPUT,
	DIALIN_PIECE_STOP, /* an emergency stop by a user */
};

/* A piece. Its texts are borrowed. */
struct dialin_piece {
	enum dialin_piece_kind kind;
	const char *id;	  /* of the agent; of a stop, of its dashboard */
	const char *user; /* whose agent it is, or who stops */
	const char *org;
	struct span text; /* of a stop, the whole message */
	int64_t sequence; /* as the agent counts; 0: it does not */
	bool is_stderr;
	/*
	 * It may be the rest of a command: only for the user of the agent, and
	 * not for others who see the agent.
	 */
	bool is_private;
};

/* Where a reader is; dialin_monitor_skip() makes a new one. */
struct dialin_cursor {
	uint64_t at;
	uint64_t n; /* pieces that were written before */
};

/* Returns the memory for the ring, in bytes. */
uint64_t dialin_monitor_bytes(void);

/* Lay out the ring at heritage.monitor_at, once. For the keeper. */
void dialin_monitor_make(struct heritage *h);

/* Returns the ring, which the keeper has made. */
struct dialin_monitor *dialin_monitor_of(struct heritage *h);

/* Add a piece. It is dropped if a process that holds the lock is stuck. */
void dialin_monitor_add(struct dialin_monitor *m, const struct dialin_piece *p);

/* Put a cursor behind the newest piece. */
void dialin_monitor_skip(
    const struct dialin_monitor *m, struct dialin_cursor *c);

/*
 * Call fn for each piece behind the cursor, which moves; n_missed is how many
 * were overwritten just before this one. fn must not add pieces.
 */
void dialin_monitor_read(struct dialin_monitor *m, struct dialin_cursor *c,
    void (*fn)(const struct dialin_piece *p, uint64_t n_missed, void *arg),
    void *arg);

#endif
