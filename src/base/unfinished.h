/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BASE_UNFINISHED_H
#define BASE_UNFINISHED_H

/*
 * The budget of a process for incomplete input: WebSocket messages and request
 * bodies. A peer that sends half of one and waits costs memory, and many of
 * them could use up all of it. When the budget is full, the largest part of a
 * peer that has not proven its identity is dropped, so that proven peers find
 * room; if all are proven, the part that wants more is dropped. Loop's thread
 * only.
 */
#include "base/list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What one connection holds; it lives in its owner's memory. */
struct unfinished {
	struct list link;
	size_t bytes; /* 0: not counted */
	bool is_proven;
	/* Discard the input, release the part, and tell the peer. */
	void (*drop)(struct unfinished *part);
};

/* Initialise a part; it holds nothing. */
void unfinished_init(
    struct unfinished *part, void (*drop)(struct unfinished *part));

/*
 * Set up the budget, once in a process: the maximum in bytes (0: no limit), a
 * gauge of the bytes held, and a counter of drops; both pointers may be NULL.
 */
void unfinished_open(size_t most, uint64_t *held, uint64_t *dropped);

/*
 * Set the number of bytes that the part holds (0: none). Other parts may be
 * dropped to make room. Returns false if this part has to go: it is then
 * released already, and its owner drops it.
 */
bool unfinished_hold(struct unfinished *part, size_t bytes);

/* The part no longer holds anything. */
void unfinished_release(struct unfinished *part);

#endif
