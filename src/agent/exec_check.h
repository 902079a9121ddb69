/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENT_EXEC_CHECK_H
#define AGENT_EXEC_CHECK_H

/*
 * Whether the program that a command line begins with can be executed, told
 * before the first turn needs it. A command line is the shell's, so what the
 * shell may take for anything but the name of a program passes: quotes,
 * variables, assignments, its own words.
 */
#include "core/err.h"

/*
 * 0, or -1 with ERR_CONFIG. setting is the name of the setting the command is
 * of; a relative path is one in folder, where the command will run.
 */
int exec_check(const char *setting, const char *command, const char *folder,
    struct err *err);

#endif
