/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef TURN_INPUT_H
#define TURN_INPUT_H

/*
 * An input on its way into a session: checked, its files saved, its input_id
 * claimed, and then a turn of its own, or part of a running one, or refused
 * (session.h). The call that carries it (session/call.h) becomes the turn's.
 */
#include "session/call.h"

/* Find the input a place: a turn, a running turn, or an earlier one like it. */
void input_place(struct session_call *c);

/*
 * Begin the turns that session_begin_next() asked for, and place the calls again
 * that had to wait for another's commit.
 */
void input_retry(struct sessions *all);

/*
 * Begin a turn with the oldest input that waits for one, unless there is none, or
 * a turn runs, or this worker takes no more: then who ends that turn does, or who
 * looks for what nobody runs (turn/takeover.h).
 */
void input_begin_waiting(struct session *s);

#endif
