/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ONSEMBL_ONS_AGENTS_H
#define ONSEMBL_ONS_AGENTS_H

/*
 * The agents that users see: the one that this server hosts, of the type CUSTOM,
 * and those that have dialed in; and what is written about them. The hosted agent
 * belongs to the server, so every user sees it.
 */
#include "base/span.h"
#include "ons/ons_order.h"

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct dialin_health;
struct dialin_queue;
struct door_setup;
struct ons_claims;
struct ons_token_keys;

enum ons_agent_state {
	ONS_IS_ONLINE,
	ONS_IS_BUSY,
	ONS_IS_DISCONNECTED,
	ONS_IS_ERROR,
};

/* What is known about an agent; texts are borrowed. */
struct ons_agent {
	const char *id;
	const char *name;
	const char *type; /* lower case: "custom", "claude", ... */
	const char *version;
	const char *host;
	const char *user; /* "": the server's */
	const char *org;
	const char *capabilities; /* a JSON array of words */
	const char *description;  /* by its user; "": none */
	const char *metadata;	  /* the same, a JSON object; "": none */
	enum ons_agent_state status;
	/* By the wall clock: its last sign of life (0: it never connected); */
	int64_t seen_ms;
	int64_t created_ms;		    /* when it became known */
	const struct dialin_health *health; /* NULL: not reported */
	unsigned n_running; /* commands of one that has dialed in */
	const struct dialin_queue *queue; /* those that wait; NULL: none can */
	bool is_hosted; /* an input needs no name of an agent */
};

/* Call fn for each agent; the texts are valid only inside. */
void ons_agents_each(const struct door_setup *setup,
    void (*fn)(const struct ons_agent *a, void *arg), void *arg);

/* Returns a number that changes whenever an agent does, health apart. */
uint64_t ons_agents_version(const struct door_setup *setup);

/* Whether this is its id, or the UUID that the REST API shows for it. */
bool ons_agent_is(const struct ons_agent *a, struct span id);

/* Whether this user may see and command an agent. */
bool ons_agent_is_seen(const struct ons_agent *a,
    const struct ons_token_keys *keys, const struct ons_claims *claims);

/* Whether it can be sent a command now. */
bool ons_agent_is_there(const struct ons_agent *a);

/*
 * Let the worker of an agent that has dialed in send it AGENT_CONTROL, or
 * EMERGENCY_STOP, in the name of this user. Returns false if it is not
 * connected.
 */
bool ons_agent_control(const struct door_setup *setup, const char *id,
    enum ons_action action, const char *user);
bool ons_agent_stop(
    const struct door_setup *setup, const char *id, const char *user);

/* Append it as an object of DASHBOARD_CONNECTED. */
void ons_agent_put_listed(struct buf *out, const struct ons_agent *a);

/* Append it as an object of the REST API. */
void ons_agent_put_object(struct buf *out, const struct ons_agent *a);

/* Append the payload's members of AGENT_CONNECTED. */
void ons_agent_put_connected(
    struct buf *out, const struct ons_agent *a, int64_t now_ms);

/* Append those of AGENT_STATUS. */
void ons_agent_put_status(struct buf *out, const struct ons_agent *a);

/* Returns the status in the words of REST: "online", ... */
const char *ons_agent_rest_status(const struct ons_agent *a);

/* Append a wall-clock time as "2025-11-02T18:20:01.000Z"; 0: null. */
void ons_put_iso(struct buf *out, const char *key, int64_t time_ms);

#endif
