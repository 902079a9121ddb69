/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CLI_LOOKUP_H
#define CLI_LOOKUP_H

/* What can be learned about agents without talking to them. */
#include "cli/exit_status.h"

struct cli;

/*
 * Search the relay's directory for the words of the options. STATUS_FAILED if
 * no agent fits.
 */
enum exit_status lookup_find(struct cli *cli);

/* Show what the agent and the relay say. */
enum exit_status lookup_info(struct cli *cli);

#endif
