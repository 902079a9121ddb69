/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WRAPPER_COMMANDS_H
#define WRAPPER_COMMANDS_H

/* The commands of the user: start, stop, restart, status and logs. */
struct agent_settings;

/* Do what the command line says. Returns the exit status. */
int commands_run(struct agent_settings *s);

#endif
