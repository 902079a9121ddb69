/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WRAPPER_BAR_H
#define WRAPPER_BAR_H

/*
 * A line with the state of the wrapper at the bottom of a terminal, below a
 * program that believes the terminal to be one row smaller. What the program
 * writes goes through bar_put(), which keeps it from scrolling the last row. No
 * I/O.
 */
#include "wrapper/ansi.h"

#include <stdbool.h>
#include <stddef.h>

struct buf;

/* The longest text; more is cut off. */
#define BAR_MAX_TEXT 200

/* {0}: there is no bar. */
struct bar {
	unsigned rows, columns; /* of the terminal */
	char text[BAR_MAX_TEXT + 1];
	bool is_damaged; /* the program has overwritten it */
};

/* The terminal has this size, now. Append what makes room for the bar. */
void bar_resize(
    struct bar *b, unsigned rows, unsigned columns, struct buf *out);

/* Append a part of the program's output as the terminal is to get it. */
void bar_put(struct bar *b, enum ansi_kind kind, const char *text, size_t len,
    struct buf *out);

/* Append the bar; when no sequence of the program is incomplete. */
void bar_draw(struct bar *b, struct buf *out);

/* Append what gives the row back to the terminal. */
void bar_remove(const struct bar *b, struct buf *out);

#endif
