/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MAIN_HOST_OPTIONS_H
#define MAIN_HOST_OPTIONS_H

/*
 * The command line of co-hostd: its usage, and the options that only it has.
 */
struct options;

/* Read the command line into *o, which must be zeroed (launch/options.h). */
void host_options_read(struct options *o, int argc, char **argv);

#endif
