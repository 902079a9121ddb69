/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WRAPPER_WRAPPER_H
#define WRAPPER_WRAPPER_H

/*
 * A running wrapper: an agent, its connection to the server, and the commands
 * between the two, until the user, the server or a failure ends it. One in a
 * process.
 */
struct agent_settings;

/* What is told to the user who has started it. */
enum wrapper_news {
	WRAPPER_CONNECTED, /* the server knows the agent, or none is wanted */
	WRAPPER_WAITING,   /* it does not; another attempt follows */
	WRAPPER_LATE,	   /* the same, and the start takes long: once */
	WRAPPER_FAILED,	   /* the wrapper ends */
};

/*
 * Run until the end; tell() gets a sentence with each piece of news. Returns
 * the exit status.
 */
int wrapper_run(const struct agent_settings *settings,
    void (*tell)(enum wrapper_news news, const char *text));

#endif
