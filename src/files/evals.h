/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef FILES_EVALS_H
#define FILES_EVALS_H

/*
 * The folder .co/evals: {name}.yaml for the conversations that began with the
 * same prompt, and {name}/run_N.yaml for each run of them (eval_file.h). Files
 * are replaced whole. 20 runs of an eval and 500 evals are kept; files written
 * by a person are never removed. When more than EVALS_RATE turns end in a
 * second, some are left out. For one process at a time, never on a loop that
 * serves clients.
 */
#include "store/record.h"

struct conf;
struct evals;

/* The maximum number of turns per second that are written. */
#define EVALS_RATE 50

/* Create the object for a project's folder; the folder is created on demand. */
struct evals *evals_new(const struct conf *conf, const char *model);

/* Free and null *e. */
void evals_free(struct evals **e);

/*
 * Add a turn, if it ended successfully. talk is the conversation after it; data
 * NULL: unknown. Failures are logged, and lose only this turn.
 */
void evals_turn(
    struct evals *e, const struct record *r, struct store_span talk);

#endif
