/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CLI_TALKING_H
#define CLI_TALKING_H

/*
 * Turns: prompts go to the agents in turn, and answers to standard output. An
 * agent of a pool that cannot be reached is passed over.
 */
#include "cli/exit_status.h"

#include <stdbool.h>

struct cli;

/* Give the prompt, with what is attached, to the next agent. */
enum exit_status talking_turn(struct cli *cli, const char *prompt);

/*
 * Come back to a turn that was left running. If there is none, says so, unless
 * it is optional.
 */
enum exit_status talking_resume(struct cli *cli, bool is_optional);

/*
 * All that the arguments and the standard input ask for, without a
 * conversation: one prompt, or each line, or the turn to come back to.
 */
enum exit_status talking_batch(struct cli *cli);

#endif
