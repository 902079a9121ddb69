/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef TURN_APPROVE_H
#define TURN_APPROVE_H

/*
 * Approval of tools. Tools in the permission whitelist (core/permit.h) run
 * without asking. Only callers that are at least contacts are asked; for others
 * the answer is no, and they see no question (spec 5.12). An agent without
 * effects asks any caller.
 */
#include <stdbool.h>

struct draft;
struct sessions;
struct turn;

/*
 * Whether an approval_needed of the agent is answered by rule. If so, the turn
 * keeps the answer, and approve_flush() passes it to the agent.
 */
bool approve_decides(struct turn *t, const struct draft *d);

/* At the end of a tick: pass the decided answers to the agents. */
void approve_flush(struct sessions *all);

#endif
