/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MASTER_GENERATIONS_H
#define MASTER_GENERATIONS_H

/*
 * The generations of processes of one master. The newest may still be starting;
 * the serving one stays complete until the newest serves, and drains then. If
 * the newest cannot serve, it leaves, and nothing has changed.
 */
#include <stdbool.h>

struct generation;
struct master;
struct master_plan;

/*
 * Reduce the number of processes that listen until two generations of the plan
 * have a slot for each.
 */
void generations_fit(struct master *m, struct master_plan *plan);

/* Returns a generation of m->plan with a number that no other has. */
struct generation generations_new(struct master *m);

/* Start the processes that the current phase requires. */
void generations_keep_up(struct master *m);

/* Returns how many processes of the newest generation accept clients. */
unsigned generations_listening(const struct master *m);

/* Whether all processes of the newest generation serve, up to m->stage. */
bool generations_are_complete(const struct master *m);

/* Whether clients are accepted by as much as one process, if any is wanted. */
bool generations_accept(const struct master *m);

/*
 * Whether a process of the newest generation tells that its agent cannot be
 * loaded. It tries again by itself, but a reload either succeeds or changes
 * nothing: an operator would not expect it to happen some time later.
 */
bool generations_cannot_load(const struct master *m);

/* The newest generation leaves, and the serving one is the newest again. */
void generations_give_up(struct master *m);

/* From now on only the newest generation stays. */
void generations_settle(struct master *m);

/* Drain the processes of all generations but the serving and the newest one. */
void generations_drain_old(struct master *m);

/*
 * One process more, or less, of each kind that listens; at least one stays. The
 * next reload brings back what the settings say.
 */
void generations_add(struct master *m);
void generations_remove(struct master *m);

/*
 * Drain all processes that listen. Clients wait in the queue of the listener
 * until a reload or generations_add().
 */
void generations_idle(struct master *m);

/* Read the settings again, and start a generation with them. */
void generations_reload(struct master *m);

#endif
