/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENT_MUX_TURN_H
#define AGENT_MUX_TURN_H

/*
 * A turn in a process that has many (agent/mux.h), the queue in which it waits
 * for a process, the table in which a process finds it by its number, and its
 * credit. Nothing here reads or writes.
 *
 * A turn lives until nobody needs it: its owner has let go of the channel, and
 * the process has sent its last frame.
 */
#include "agent/channel.h"
#include "base/buf.h"
#include "base/list.h"
#include "net/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mux;

/*
 * How many bytes of frames a turn may have written that were not given back to
 * it.
 */
#define MUX_WINDOW 262144

/* The bytes that a turn has written and may not write again yet. */
struct mux_credit {
	size_t window;
	size_t done; /* processed: they can be given back */
	size_t held; /* they wait in the turn, whose output is paused */
	bool is_paused;
};

struct mux_turn {
	struct channel base;
	struct mux
	    *mux; /* NULL: it waits for a process, or has none any more */
	struct mux_queue *queue; /* NULL: it does not wait */
	struct list link;	 /* queue->turns, or those of mux */
	struct mux_turn *next;	 /* in the table */
	uint64_t number;
	struct buf early; /* lines, until it has a process */
	size_t task_bytes;
	struct mux_credit credit;
	struct loop_timer grace; /* until it has to have stopped */
	bool is_begun;		 /* a frame of it has come */
	bool is_blocking;	 /* the process exceeded its credit */
	bool is_stopping;	 /* it was told to stop */
	bool is_closed;		 /* nobody listens to it any more */
	bool is_ended;		 /* its last frame has come */
};

/* Create a turn without a process. */
struct mux_turn *mux_turn_new(const struct channel_ops *ops,
    const struct channel_handlers *handlers, void *arg);

/* Free it; it is in no table and has no timer. */
void mux_turn_free(struct mux_turn *t);

/* ---- turns that wait for a process ---- */

struct mux_queue {
	struct list turns;
	size_t n;
};

/* Initialise an empty queue. */
void mux_queue_init(struct mux_queue *q);

/* Append a turn. */
void mux_queue_add(struct mux_queue *q, struct mux_turn *t);

/* Remove a turn from its queue. */
void mux_queue_remove(struct mux_turn *t);

/* Remove and return the first turn, or NULL. */
struct mux_turn *mux_queue_take(struct mux_queue *q);

/* ---- turns by number ---- */

/* {0} is empty. */
struct mux_table {
	struct mux_turn **slots;
	size_t n_slots; /* 0, or a power of two */
	size_t n;
};

/* Add a turn under its number, which is in no use. */
void mux_table_add(struct mux_table *table, struct mux_turn *t);

/* Returns the turn of this number, or NULL. */
struct mux_turn *mux_table_get(const struct mux_table *table, uint64_t number);

/* Remove a turn that is there. */
void mux_table_remove(struct mux_table *table, struct mux_turn *t);

/* Free the memory of the table, not the turns. */
void mux_table_fini(struct mux_table *table);

/* ---- credit ---- */

/* Count n bytes. Returns false if the turn had no credit left for them. */
bool mux_credit_take(struct mux_credit *c, size_t n);

/* Returns how many bytes to give back now, which counts as done; often 0. */
size_t mux_credit_give(struct mux_credit *c);

/* The output is paused, or resumed and has all been processed. */
void mux_credit_pause(struct mux_credit *c, bool is_paused);

#endif
