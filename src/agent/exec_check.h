/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENT_EXEC_CHECK_H
#define AGENT_EXEC_CHECK_H

/*
 * Checks whether the program at the beginning of a command line can be
 * executed, before the first turn needs it. The shell interprets a command
 * line, so anything that may not be a plain program name is accepted: quotes,
 * variables, assignments, words of the shell.
 */
#include "core/err.h"

/*
 * Check a command. setting is the name of its setting; a relative path is
 * relative to folder, where the command will run. Returns 0, or -1 with
 * ERR_CONFIG.
 */
int exec_check(const char *setting, const char *command, const char *folder,
    struct err *err);

/* The same for a program that is executed without a shell, whatever its name. */
int exec_check_program(const char *setting, const char *program,
    const char *folder, struct err *err);

#endif
