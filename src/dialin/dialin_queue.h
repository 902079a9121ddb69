/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DIALIN_DIALIN_QUEUE_H
#define DIALIN_DIALIN_QUEUE_H

/*
 * The commands that wait for their agent, in the order in which they will run:
 * those that the agent holds back itself, then those that its connection has no
 * room for. Of each kind the most urgent is first, and of these the one whose
 * input was accepted first. Nothing is stored here: the turns of the connection
 * are the queue.
 */
struct agent_turn;
struct dialin_conn;

/* Returns the command to send next, or NULL. */
struct agent_turn *dialin_queue_next(struct dialin_conn *c);

/* Tell the table of the queue, if it has changed (dialin/dialin_table.h). */
void dialin_queue_tell(struct dialin_conn *c);

#endif
