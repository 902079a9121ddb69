/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MAIN_INIT_H
#define MAIN_INIT_H

/*
 * The command init: make a project. What is there already stays as it is.
 */
struct options;

/* Make a project in o->args[0], else in --dir, else here. The exit status. */
int init_run(const struct options *o);

#endif
