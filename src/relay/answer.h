/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef RELAY_ANSWER_H
#define RELAY_ANSWER_H

/*
 * What is said about an agent, as JSON. Pure: records in, text out.
 *
 * Endpoints in private networks are said only to those who may be there: whose
 * own network address is private, or that from which the agent announced itself.
 */
#include "relay/directory.h"
#include "relay/path.h"

#include <stdbool.h>

struct buf;

/* Who asks, and what is known besides the record. */
struct answer_about {
	const struct directory_record *record;
	bool is_online;
	int64_t now_ms;	   /* wall clock; also when an online agent was seen */
	const char *peer;  /* the network address of who asks */
	const char *relay; /* our URL, for agents that did not say one */
};

/*
 * Append the answer to GET for one of the targets about an agent. name is that
 * of the skill.
 */
void answer_put(struct buf *out, enum path_target target,
    const struct answer_about *a, const char *name);

/* Append the object of an agent in AGENT_INFO and AGENTS. */
void answer_put_agent(
    struct buf *out, const struct answer_about *a, bool is_whole);

#endif
