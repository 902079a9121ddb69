/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WORKER_STAFF_H
#define WORKER_STAFF_H

/*
 * The agents of a worker: the one of the setting 'agent', the family of those
 * that dial in, and the one that decides about strangers, which may be a trust
 * agent of its own; and what they share. The getters lend; NULL means that the
 * settings ask for no such thing.
 */
#include "core/agent.h"

struct agent_dir;
struct conf;
struct crew;
struct dialin_dock;
struct inherited;
struct judge;
struct permit;

struct staff;

/* All of it is borrowed, and must outlive the staff. */
struct staff_setup {
	const struct conf *conf;
	const struct inherited *in;
	struct crew *crew;	       /* runs what may block */
	void (*on_arrival)(void *arg); /* an agent has dialed in */
	void (*ask_flush)(void *arg);  /* call staff_flush() in this tick */
	void *arg;
};

/* Open all agents. Calls fatal() if one cannot be opened. */
struct staff *staff_open(const struct staff_setup *setup);

/* Close all agents, after those who use them, and set *s to NULL. */
void staff_close(struct staff **s);

/*
 * Returns whether turns can run: a worker without its trust agent can run none
 * of a new client.
 */
enum agent_load staff_load(const struct staff *s);

/* What /info says about the agent. */
const struct agent_about *staff_about(const struct staff *s);

/* The agents that sessions may name. */
const struct agent_dir *staff_dir(const struct staff *s);

/* The tools that need no approval. */
const struct permit *staff_permit(const struct staff *s);

/* Where agents dial in. */
struct dialin_dock *staff_dock(const struct staff *s);

/* What answers where the policy says ask. */
struct judge *staff_judge(const struct staff *s);

/* Push what the judge has to write. */
void staff_flush(struct staff *s);

/* Handle timeouts. Call it every 100 ms. */
void staff_tick(struct staff *s);

/* No turn begins any more. */
void staff_drain(struct staff *s);

#endif
