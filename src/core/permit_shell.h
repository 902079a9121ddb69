/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_PERMIT_SHELL_H
#define CORE_PERMIT_SHELL_H

/*
 * A shell command taken apart into its sub-commands and their words, so that
 * each can be compared with what is allowed. This is not a shell: it knows
 * words, quotes, and the connectors ; && || and |. Whatever else could run or
 * write something it refuses, since what cannot be read cannot be allowed:
 * substitutions and expansions ($ and backquote), redirections, here-documents,
 * groups, braces, background jobs, comments, assignments before a command, and
 * line ends or other control characters.
 */
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* A longer command is refused, and one with more sub-commands. */
#define PERMIT_SHELL_MAX 8192
#define PERMIT_SHELL_COMMANDS 64

struct permit_shell {
	struct buf text;    /* all words, without quotes, each with its NUL */
	const char **words; /* into text */
	size_t n_words;
	size_t ends[PERMIT_SHELL_COMMANDS]; /* the word after each command */
	size_t n_commands;
};

/*
 * Take command apart into *s ({0} at first; free it by permit_shell_fini()
 * whatever is returned). Returns whether it was understood, and has at least
 * one sub-command.
 */
bool permit_shell_read(struct permit_shell *s, const char *command);

/* Free what s owns. */
void permit_shell_fini(struct permit_shell *s);

#endif
