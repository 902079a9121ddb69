/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MAIN_START_H
#define MAIN_START_H

/*
 * The start of a server: what only root may do, then the change of user, then
 * the master, which returns when the server was told to stop.
 */
struct options;

/* Serve, or with -t check the settings. Returns the exit status. */
int start_run(const struct options *o);

#endif
