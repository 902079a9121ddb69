/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WRAPPER_WRAPPER_H
#define WRAPPER_WRAPPER_H

/*
 * A running wrapper: an agent, its connection to the server, and the commands
 * between the two, until the user, the server or a failure ends it. One in a
 * process.
 */
#include <stdbool.h>

struct agent_settings;

/*
 * Run until the end. ready(text, is_connected) is called once: when the server
 * knows the agent, or when that does not succeed soon. Returns the exit status.
 */
int wrapper_run(const struct agent_settings *settings,
    void (*ready)(const char *text, bool is_connected));

#endif
