/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef TURN_INPUT_H
#define TURN_INPUT_H

/*
 * An input on its way into a session: it is checked, its files are saved, its
 * input_id is claimed; then it gets a turn of its own, joins a running one, or
 * is refused (session.h). The call that carries it (session/call.h) is then
 * owned by the turn.
 */
#include "session/call.h"

/*
 * Begin the turns that session_begin_next() requested, and place the calls
 * again that had to wait for another's commit.
 */
void input_retry(struct sessions *all);

/*
 * Begin a turn with the oldest input that waits for one. Does nothing if there
 * is none, if a turn is running, or if this worker accepts no more turns: then
 * the process that ends that turn begins the next, or one that looks for
 * unowned work (turn/takeover.h).
 */
void input_begin_waiting(struct session *s);

#endif
