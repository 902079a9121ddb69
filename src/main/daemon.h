/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MAIN_DAEMON_H
#define MAIN_DAEMON_H

/*
 * The background. The process that was started stays until the daemon serves,
 * and its exit status tells whether it does.
 */
#include <stdbool.h>

/* Go on in a new process; the old one waits. Returns in the new one only. */
void daemon_start(void);

/* Whether we are in the background. */
bool daemon_runs(void);

/* The daemon serves: let the other process end, and leave its terminal. */
void daemon_ready(void);

#endif
