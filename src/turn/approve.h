/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef TURN_APPROVE_H
#define TURN_APPROVE_H

/*
 * Who may let a tool run. The permission whitelist (core/permit.h) lets its
 * tools run unasked. Of callers, only contacts and above are asked; for others
 * the answer is no, and they see no question (spec 5.12). An agent without
 * effects asks anybody.
 */
#include <stdbool.h>

struct draft;
struct sessions;
struct turn;

/*
 * Whether an approval_needed of the agent is answered by rule. If so the turn
 * keeps the answer, and approve_flush() hands it to the agent.
 */
bool approve_decides(struct turn *t, const struct draft *d);

/* At the end of a tick: give agents the answers that were decided. */
void approve_flush(struct sessions *all);

#endif
