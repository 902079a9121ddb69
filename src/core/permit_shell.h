/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_PERMIT_SHELL_H
#define CORE_PERMIT_SHELL_H

/*
 * A shell command split into its sub-commands and their words, so that each can
 * be compared with what is allowed. This is not a shell: it knows words,
 * quotes, and the connectors ; && || and |. It rejects everything else that
 * could run or write something, since what cannot be parsed cannot be allowed:
 * substitutions and expansions ($ and backquote), redirections, here-documents,
 * groups, braces, background jobs, comments, assignments before a command, and
 * line ends or other control characters.
 */
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* The limits on the length of a command and on the number of sub-commands. */
#define PERMIT_SHELL_MAX 8192
#define PERMIT_SHELL_COMMANDS 64

struct permit_shell {
	struct buf text;    /* all words, unquoted, each with its NUL */
	const char **words; /* into text */
	size_t n_words;
	size_t ends[PERMIT_SHELL_COMMANDS]; /* word after each command */
	size_t n_commands;
};

/*
 * Parse command into *s ({0} at first; the caller must call permit_shell_fini()
 * whatever is returned). Returns whether it was understood and has at least one
 * sub-command.
 */
bool permit_shell_read(struct permit_shell *s, const char *command);

/* Free what s owns. */
void permit_shell_fini(struct permit_shell *s);

#endif
