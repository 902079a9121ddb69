/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MAIN_EXPORT_H
#define MAIN_EXPORT_H

/*
 * The commands export and import: between the store of a project and a file in
 * the form of .co/session_results.jsonl.
 */
struct options;

/* Write all results to o->args[0], else to standard output; a server may run
 * meanwhile. The exit status. */
int export_run(const struct options *o);

/* Add the results in o->args[0] to the store, while no server runs. The exit
 * status. */
int export_run_import(const struct options *o);

#endif
