/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ONSEMBL_ONS_MONITOR_H
#define ONSEMBL_ONS_MONITOR_H

/*
 * What agents that have dialed in write by themselves, for the dashboards of
 * this worker: as the command "agent-session-<agentId>", to each that may see
 * the agent and has subscribed to terminals. A dashboard that does not read
 * misses pieces, and is told how many before the next one. Emergency stops come
 * by the same way.
 */
struct dialin_monitor;
struct list;

/* Tell nobody of what was written until now. */
void ons_monitor_skip(struct dialin_monitor *m);

/* Tell the dashboards (struct ons_dash, by link) of what is new. */
void ons_monitor_look(struct dialin_monitor *m, struct list *dashes);

#endif
