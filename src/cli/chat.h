/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CLI_CHAT_H
#define CLI_CHAT_H

/*
 * The conversation at a terminal: a prompt on each line, until Ctrl-D. Lines
 * that begin with a command of ours, such as /help, are for us; all others are
 * for the agent.
 */
#include "cli/exit_status.h"

struct cli;

/* Talk until the user leaves. The terminal has an editor. */
enum exit_status chat_run(struct cli *cli);

#endif
