/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_PERMIT_PATH_H
#define CORE_PERMIT_PATH_H

/*
 * The files that decide what an agent may do and who may command it: settings,
 * schedule, trust lists and keys in .co, and .co itself. No permission makes
 * them writable by a tool. Other content of .co, such as dashboard.html, is
 * not meant. The check is about names: it opens nothing.
 */
#include <stdbool.h>

/*
 * Whether the path names such a file, however it is spelled: with "..", "//",
 * in another case, or as a pattern that a shell would expand to it.
 */
bool permit_path_is_control(const char *path);

/*
 * The same of a word of a command, which may hold the path behind an equals
 * sign, a colon, an @ or a letter of an option.
 */
bool permit_path_in_word(const char *word);

#endif
