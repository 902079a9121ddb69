/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WRAPPER_MODES_H
#define WRAPPER_MODES_H

/*
 * What a program has switched on or off in a terminal, so that it can be undone
 * if the program does not do it. No memory but the struct, which may be shared
 * with another process. Pure functions.
 */
#include "wrapper/ansi.h"

#include <stdbool.h>
#include <stddef.h>

struct buf;

/* Further modes are not noted. */
#define MODES_MAX 64

/* {0}: as a terminal is at first. */
struct modes {
	struct mode {
		int number; /* of ESC [ ? number h */
		bool is_on;
	} list[MODES_MAX];
	size_t n;
	int n_keyboards;       /* pushed by ESC [ > flags u */
	bool has_keypad;       /* ESC = */
	bool has_cursor_style; /* ESC [ n SP q */
};

/* Note a part of the output of the program. */
void modes_note(
    struct modes *m, enum ansi_kind kind, const char *text, size_t len);

/* Whether the program has switched this mode on. */
bool modes_is_on(const struct modes *m, int number);

/* Append what undoes all of it; and what does it again. */
void modes_undo(const struct modes *m, struct buf *out);
void modes_redo(const struct modes *m, struct buf *out);

#endif
