/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OPENHANDS_OH_ACT_H
#define OPENHANDS_OH_ACT_H

/* What a user wants of the agent is done in the conversation. */
#include "base/span.h"

struct json;
struct oh_client;

/*
 * Do what an action says, and answer its ack id, if it has one, when that is
 * as durable as it will be. A refusal is told as an event to this client alone.
 * Holds the side meanwhile; the side may be gone afterwards.
 */
void oh_act(struct oh_client *c, const struct json *action, struct span ack);

/* Answer an ack id, if there is one. */
void oh_act_ack(struct oh_client *c, struct span ack);

/* The client is gone: forget what waits. Its inputs proceed. */
void oh_act_forget(struct oh_client *c);

#endif
