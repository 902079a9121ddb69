/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WRAPPER_PANE_H
#define WRAPPER_PANE_H

/*
 * A pane is the agent of --interactive: its program has a terminal, which is
 * shown on that of the user (terminal.h), who can type. Commands of the server are
 * typed as well, and what the program writes goes to both. A program at a
 * terminal does not say when it is done: a command is over when nothing was
 * written for PANE_QUIET_MS, unless a shell has something else in the
 * foreground. A slow server does not hold the program up.
 *
 * Life cycle: pane_new(), pane_start() when the user is to see the
 * program, on_over, perhaps pane_start() again, ops->free().
 */
#include <stdbool.h>
#include <stddef.h>

struct doer;
struct loop;

#define PANE_QUIET_MS 3000

/* The lists are borrowed, and the environment is freed by the pane. */
struct pane_setup {
	struct loop *loop;
	const char *name; /* of the agent, for messages */
	char *const *argv;
	char **envp;
	const char *dir;
	bool has_bar;
};

/* Create one; the user fills in the handlers of the doer. */
struct doer *pane_new(const struct pane_setup *setup);

/*
 * Start the program and show it. on_over is called when it has ended, with its
 * wait status; was_killed: because kill() was called. Returns false, with a text
 * in why, if it cannot be started.
 */
bool pane_start(struct doer *d,
    void (*on_over)(void *arg, int status, bool was_killed), void *arg,
    char *why, size_t size);

/* The terminal of the user has another size, or shows something else. */
void pane_resize(struct doer *d);
void pane_redraw(struct doer *d);

/* What the bar says. */
void pane_tell(struct doer *d, const char *text);

#endif
