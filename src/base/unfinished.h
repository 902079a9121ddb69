/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BASE_UNFINISHED_H
#define BASE_UNFINISHED_H

/*
 * The budget of a process for what has not come whole: WebSocket messages and
 * bodies of requests. A peer that sends half of one and waits costs memory, and
 * many of them would cost all there is. When the budget is full, the largest
 * part of a peer that has not proved itself goes, so that those who did find
 * room; where all did, it is the one that wants more. Loop's thread only.
 */
#include "base/list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What one connection holds; it lives in its owner's memory. */
struct unfinished {
	struct list link;
	size_t bytes; /* 0: it is not counted */
	bool is_proven;
	/* Give up what came, release it, and tell the peer. */
	void (*drop)(struct unfinished *part);
};

/* A part that holds nothing. */
void unfinished_init(
    struct unfinished *part, void (*drop)(struct unfinished *part));

/*
 * Once in a process: the most bytes (0: no limit), what they are now, and how
 * often something was dropped; both may be NULL.
 */
void unfinished_open(size_t most, uint64_t *held, uint64_t *dropped);

/*
 * The part holds so many bytes now (0: none). Others may be dropped for it.
 * False: it is what has to go, and is released; its owner drops it.
 */
bool unfinished_hold(struct unfinished *part, size_t bytes);

/* It holds nothing any more. */
void unfinished_release(struct unfinished *part);

#endif
