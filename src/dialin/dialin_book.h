/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DIALIN_DIALIN_BOOK_H
#define DIALIN_DIALIN_BOOK_H

/*
 * The book: what is known of agents that dial in, in the store, so that a
 * server that starts again knows those that are away. The keeper owns it; the
 * table (dialin/dialin_table.h) is what all others read and change. The first
 * keeper of a server enters the rows into the table; then each step writes what
 * has changed. So a change is stored about a second after it was made, and if
 * all processes die before that, it is lost; an agent that connects again tells
 * all but the notes about it anew.
 */
#include <stdbool.h>
#include <stdint.h>

struct dialin_book;
struct dialin_table;
struct heritage;
struct store;

/*
 * Open the book. is_first: enter its rows into the table. The store outlives it.
 * For the keeper only, which it makes wait for the disk.
 */
struct dialin_book *dialin_book_open(struct store *store, struct heritage *h,
    unsigned slot, uint32_t generation, bool is_first);

/* Close it, and null *b. */
void dialin_book_close(struct dialin_book **b);

/*
 * Forget agents that have been away for longer than keep_ms, and write what has
 * changed since the last step, in one transaction.
 */
void dialin_book_step(struct dialin_book *b, int64_t keep_ms);

#endif
