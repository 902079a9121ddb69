/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef LAUNCH_DAEMON_H
#define LAUNCH_DAEMON_H

/*
 * Running in the background. The process that was started stays until the
 * daemon serves, and its exit status says whether it does.
 */
#include <stdbool.h>

/*
 * Continue in a new process while the old one waits. Returns only in the new
 * one.
 */
void daemon_start(void);

/* Whether we run in the background. */
bool daemon_runs(void);

/*
 * The daemon serves: let the first process exit, and detach from its terminal.
 */
void daemon_ready(void);

#endif
