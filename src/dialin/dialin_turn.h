/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DIALIN_DIALIN_TURN_H
#define DIALIN_DIALIN_TURN_H

/*
 * Agents that have dialed in, as a kind of agent: "onsembl:ID" or
 * "onsembl:NAME". A turn is a command that runs where the agent is. It begins
 * with COMMAND_REQUEST, becomes events by TERMINAL_OUTPUT and other messages,
 * and ends with COMMAND_COMPLETE; for agents that never say that, with the next
 * command, or after 30 s without output.
 *
 * A turn runs in the worker with the connection. If the connection is lost, the
 * command goes on, and the turn is left to the worker to which the agent comes
 * back. What comes twice is known by its sequence and dropped.
 *
 * dialin/dialin_conn.h calls these functions with what it reads; dialin_turn.c
 * calls none of its.
 */
#include "core/agent.h"

struct dialin_conn;

/* The prefix of the names of such agents. */
#define DIALIN_PREFIX "onsembl:"

extern const struct agent_kind dialin_kind;

/* The connection has room again: send commands that wait. */
void dialin_turn_send_all(struct dialin_conn *c);

/* Cancel all its commands, as an interrupt of each would. */
void dialin_turn_stop_all(struct dialin_conn *c);

/* The connection is lost: its turns leave. */
void dialin_turn_lost(struct dialin_conn *c);

#endif
