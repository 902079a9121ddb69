/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_PERMIT_H
#define CORE_PERMIT_H

/*
 * The permission whitelist: which tool calls may run without a person's
 * approval. It combines the setting permissions with built-in rules. It is read
 * once; then any thread may query it.
 *
 * A rule is a pattern and attributes:
 *   read_file		a tool, with any arguments
 *   Bash(git status)	exactly this command of the tool bash
 *   Bash(git diff *)	a command that begins with these words, or is them
 *   Bash(*)		any command
 *   allowed		true, or false, which overrides every true
 *   when, match	argument names and file name patterns (base/wild.h), all
 *			of which must match; for bash, "command" is each
 *			sub-command
 *   expires		{type: never|session_end|turn_end}
 *   source, reason	texts for people
 *
 * Each sub-command of a shell command must be allowed, and a command that
 * core/permit_shell.h cannot parse is not. Control files (core/permit_path.h)
 * are out of reach, whatever is allowed.
 */
#include <stdbool.h>

struct buf;
struct err;
struct json;
struct permit;

/*
 * Read the JSON text of a mapping of rules; "" leaves only the built-in rules.
 * A rule replaces a built-in one with the same pattern. Returns NULL with
 * ERR_CONFIG, naming the pattern and what is wrong.
 */
struct permit *permit_open(const char *text, struct err *err);

/* Free it and set *p to NULL. */
void permit_close(struct permit **p);

/*
 * Whether the tool may be called with these arguments (an object, or NULL)
 * without asking anyone. Grants until the end of a turn do not count, since
 * there is no turn. If not, the reason for the caller is appended to why, in
 * the words of EXEC_RESULT.
 */
bool permit_allows(const struct permit *p, const char *tool,
    const struct json *args, struct buf *why);

#endif
