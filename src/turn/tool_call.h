/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef TURN_TOOL_CALL_H
#define TURN_TOOL_CALL_H

/*
 * Calls of one tool without a turn (session_exec() of session.h): they are not
 * in the journal, and end with whoever asked for them.
 */
struct sessions;

/* At the end of a tick: tell of the calls that have ended. */
void tool_call_flush(struct sessions *all);

/* The process leaves: end all calls, telling nobody. */
void tool_call_free_all(struct sessions *all);

#endif
