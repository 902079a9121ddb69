/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CLI_OPERATION_H
#define CLI_OPERATION_H

/*
 * One operation of the library, from where it was begun to its end: events are
 * shown, questions answered, and Ctrl-C interrupts the agent; a second one
 * leaves it to itself.
 */
#include "cli/exit_status.h"

#include <co_connect.h>

struct cli;

/*
 * Wait for the end of the operation that was begun for c with this code.
 * *result is valid until the next one. Returns STATUS_INTERRUPTED if the user
 * pressed Ctrl-C, however it ended then.
 */
enum exit_status operation_run(struct cli *cli, struct co_client *c,
    enum co_code begun, struct co_result *result);

#endif
