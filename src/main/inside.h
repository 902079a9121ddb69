/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MAIN_INSIDE_H
#define MAIN_INSIDE_H

/*
 * The commands status, sessions and show: a view into the server of the
 * project. They read its window (status/window.h) and the store, and ask no
 * process. The store is read in a process of its own that is killed after some
 * seconds, so that they answer whatever state the store is in.
 */
struct options;

/* The exit statuses, as of the action status of an init script (LSB). */
enum inside_status {
	INSIDE_WELL = 0,
	INSIDE_DEGRADED = 1,
	INSIDE_NOT_RUNNING = 3,
	INSIDE_UNKNOWN = 4,
};

/* The command status. Returns the exit status, as the others do. */
int inside_run_status(const struct options *o);

/* The command sessions: those that are stored, running ones first. */
int inside_run_sessions(const struct options *o);

/* The command show: one session, with its latest events but not their text. */
int inside_run_show(const struct options *o);

#endif
