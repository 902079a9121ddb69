/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef TURN_TOOL_CALL_H
#define TURN_TOOL_CALL_H

/*
 * Direct calls of one tool without a turn (session_exec() in session.h). They
 * are not in the journal, and end when their caller goes away.
 */
struct sessions;

/* At the end of a tick: report the calls that have ended. */
void tool_call_flush(struct sessions *all);

/* The process exits: end all calls without callbacks. */
void tool_call_free_all(struct sessions *all);

#endif
