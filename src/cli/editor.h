/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CLI_EDITOR_H
#define CLI_EDITOR_H

/*
 * Lines that the user types, with libedit: editing, history, searching. They
 * come from standard input or, if that is none, from the terminal that the
 * process has; the prompt goes to standard error. While it waits for a key, it
 * also serves a descriptor, so that a connection stays open. There is one editor
 * at a time.
 *
 * The history is a file for our user alone (0600), of 1,000 lines without
 * repetitions: co-connect/history in $XDG_STATE_HOME or ~/.local/state.
 */
#include "base/buf.h"

#include <stdbool.h>

struct editor;

enum editor_end {
	EDITOR_LINE,	  /* *line has it, without its end */
	EDITOR_EOF,	  /* Ctrl-D on an empty line; the terminal is gone */
	EDITOR_STOPPED,	  /* Ctrl-C; *line has what was typed so far */
	EDITOR_LEFT,	  /* another signal: leave */
	EDITOR_CANCELLED, /* the served descriptor's function wants no line */
};

/*
 * Called when the descriptor is readable. Returns whether the line is still
 * wanted. It may print if it calls editor_hide() around that.
 */
typedef bool editor_serve_fn(void *arg);

/*
 * Create the editor of this terminal, which is not touched before the first
 * line is read. interrupts is the descriptor of cli/interrupts.h. Returns NULL
 * if there is no terminal.
 */
struct editor *editor_new(int interrupts);

/* Free it, and null the pointer. */
void editor_free(struct editor **e);

/* Set what is served while a line is typed; fn NULL: nothing. */
void editor_serve(struct editor *e, int fd, editor_serve_fn *fn, void *arg);

/* Read one line into *line, behind this prompt, which is copied. */
enum editor_end editor_read(
    struct editor *e, const char *prompt, struct buf *line);

/* Add a line to the history, and write its file. */
void editor_remember(struct editor *e, const char *line);

/*
 * Remove the line that is being typed from the screen, or bring it back. Does
 * nothing while none is typed.
 */
void editor_hide(struct editor *e, bool is_hidden);

#endif
