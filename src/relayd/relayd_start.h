/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef RELAYD_RELAYD_START_H
#define RELAYD_RELAYD_START_H

/*
 * The start of co-relayd: settings, folder, user, listener; then the master
 * runs. It is the only place that knows both the relay and the master.
 */
struct options;

/* Serve, or check the settings. Returns the exit status. */
int relayd_start(const struct options *o);

#endif
