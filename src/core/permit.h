/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_PERMIT_H
#define CORE_PERMIT_H

/*
 * The permission whitelist: which tool calls may run without a person's
 * approval, by the setting permissions on top of what is shipped. It is read
 * once and then only asked, by any thread.
 *
 * A rule is a pattern and what is said of it:
 *   read_file		a tool, with any arguments
 *   Bash(git status)	exactly this command of the tool bash
 *   Bash(git diff *)	a command that begins with these words, or is them
 *   Bash(*)		any command
 *   allowed		true, or false, which beats all that is true
 *   when, match	argument names and file name patterns (core/wild.h) that
 *			all must fit; of bash, "command" is each sub-command
 *   expires		{type: never|session_end|turn_end}
 *   source, reason	texts for people
 *
 * Each sub-command of a shell command must be allowed, and one that
 * core/permit_shell.h cannot read is not. Control files (core/permit_path.h)
 * are out of reach, whatever is allowed.
 */
#include <stdbool.h>

struct buf;
struct err;
struct json;
struct permit;

/*
 * Read the JSON text of a mapping of rules; "" is none, which leaves what is
 * shipped. A rule replaces a shipped one of the same pattern. Returns NULL with
 * ERR_CONFIG, which names the pattern and what is wrong.
 */
struct permit *permit_open(const char *text, struct err *err);

/* Free it and null *p. */
void permit_close(struct permit **p);

/*
 * Whether the tool may be called with these arguments (an object, or NULL) when
 * nobody is asked. Grants until the end of a turn do not count, since there is
 * no turn. If not, the reason for the caller is appended to why, as EXEC_RESULT
 * has it.
 */
bool permit_allows(const struct permit *p, const char *tool,
    const struct json *args, struct buf *why);

#endif
