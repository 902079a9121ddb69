/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DIALIN_DIALIN_SAID_H
#define DIALIN_DIALIN_SAID_H

/*
 * What an agent that has dialed in says about a command, as events of its turn.
 * What comes twice is known by its sequence.
 */
#include "ons/ons_report.h"

struct agent_turn;
struct dialin_conn;

/*
 * Returns the turn of a command that this connection speaks of, or NULL. The
 * turn is then one of this connection, if it waited for its agent.
 */
struct agent_turn *dialin_said_of(struct dialin_conn *c, struct span command);

/*
 * A message about the turn's command. ack is the answer to the message, which
 * is sent when what the message says cannot be lost any more; its bytes are
 * taken.
 */
void dialin_said_ack(
    struct agent_turn *t, const struct ons_command_ack *a, struct buf *ack);
void dialin_said_output(
    struct agent_turn *t, const struct ons_output *o, struct buf *ack);
void dialin_said_document(struct agent_turn *t, bool is_trace,
    const struct ons_document *d, struct buf *ack);
void dialin_said_event(
    struct agent_turn *t, const struct ons_event *e, struct buf *ack);
void dialin_said_complete(
    struct agent_turn *t, const struct ons_complete *c, struct buf *ack);

#endif
