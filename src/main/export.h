/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MAIN_EXPORT_H
#define MAIN_EXPORT_H

/*
 * The commands export and import: they copy results between the store of a
 * project and a file in the format of .co/session_results.jsonl.
 */
struct options;

/*
 * Write all results to o->args[0], or to standard output. A server may run at
 * the same time. Returns the exit status.
 */
int export_run(const struct options *o);

/*
 * Add the results in o->args[0] to the store, while no server runs. Returns the
 * exit status.
 */
int export_run_import(const struct options *o);

#endif
