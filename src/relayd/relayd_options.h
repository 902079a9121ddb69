/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef RELAYD_RELAYD_OPTIONS_H
#define RELAYD_RELAYD_OPTIONS_H

/*
 * The command line of co-relayd: its usage, and the default of its folder.
 */
struct options;

/* Read the command line into *o, which must be zeroed (launch/options.h). */
void relayd_options_read(struct options *o, int argc, char **argv);

#endif
