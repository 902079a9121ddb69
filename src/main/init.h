/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MAIN_INIT_H
#define MAIN_INIT_H

/* The command init: create a project. Existing files stay as they are. */
struct options;

/*
 * Create a project in o->args[0], or in --dir, or in the current folder.
 * Returns the exit status.
 */
int init_run(const struct options *o);

#endif
