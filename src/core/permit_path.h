/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_PERMIT_PATH_H
#define CORE_PERMIT_PATH_H

/*
 * The control files: those that decide what an agent may do and who may command
 * it. They are the settings, schedule, trust lists and keys in .co, and .co
 * itself. No permission makes them writable by a tool. Other content of .co,
 * such as dashboard.html, is not included. The check looks at names only; it
 * opens nothing. Pure functions.
 */
#include <stdbool.h>

/*
 * Whether the path names a control file, however it is spelled: with "..",
 * "//", in another case, or as a pattern that a shell would expand to it.
 */
bool permit_path_is_control(const char *path);

/*
 * The same for a word of a command, in which the path may follow an equals
 * sign, a colon, an @ or the letter of an option.
 */
bool permit_path_in_word(const char *word);

#endif
