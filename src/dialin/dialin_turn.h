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
#include "ons/ons_order.h"
#include "ons/ons_report.h"

struct dialin_conn;

/* The prefix of the names of such agents. */
#define DIALIN_PREFIX "onsembl:"

extern const struct agent_kind dialin_kind;

/*
 * Returns the turn of a command that this connection speaks of, or NULL. The
 * turn is then one of this connection, if it waited for its agent.
 */
struct agent_turn *dialin_turn_of(struct dialin_conn *c, struct span command);

/*
 * A message about the turn's command. ack is the answer to the message, which
 * is sent when what the message says cannot be lost any more; its bytes are
 * taken.
 */
void dialin_turn_ack(
    struct agent_turn *t, const struct ons_command_ack *a, struct buf *ack);
void dialin_turn_output(
    struct agent_turn *t, const struct ons_output *o, struct buf *ack);
void dialin_turn_document(struct agent_turn *t, bool is_trace,
    const struct ons_document *d, struct buf *ack);
void dialin_turn_event(
    struct agent_turn *t, const struct ons_event *e, struct buf *ack);
void dialin_turn_complete(
    struct agent_turn *t, const struct ons_complete *c, struct buf *ack);

/* The connection has room again: send commands that wait. */
void dialin_turn_send_all(struct dialin_conn *c);

/* The connection is lost: its turns leave. */
void dialin_turn_lost(struct dialin_conn *c);

#endif
