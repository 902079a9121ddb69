/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ONSEMBL_ONS_DASH_H
#define ONSEMBL_ONS_DASH_H

/*
 * A dashboard: a client on /ws/dashboard that watches agents, sends them
 * commands, and sees what these write. It lives from its upgrade to the end of
 * its wire, in one worker. It has a user once it has shown a token.
 *
 * A command belongs to the dashboard that sent it, and is a turn of a session.
 * The dashboard reads the session's events from a cursor as fast as it takes
 * them, so nothing is queued for it, and no other dashboard sees them.
 */
#include "base/list.h"
#include "limits/limits.h"
#include "net/loop.h"
#include "ons/ons_message.h"
#include "onsembl/ons_token.h"
#include "onsembl/ons_wants.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct door_setup;
struct ons_agent;
struct wire;

/* The maximum number of commands of a dashboard that have not ended. */
#define ONS_DASH_COMMANDS_MAX 1000

/* Room for an id that we make: "dashboard-<ms>-<9>". */
#define ONS_OWN_ID 48

struct ons_dash {
	struct list link;
	const struct door_setup *setup;
	const struct ons_token_keys *keys;
	struct wire *wire;
	struct limits_held held;
	char id[ONS_OWN_ID];
	bool is_known;	/* it has shown a token */
	bool is_over;	/* it is being closed */
	bool has_token; /* of its upgrade, good or bad */
	char *refusal;	/* why that is refused; NULL: it is good */
	struct ons_claims claims;
	char owner[48]; /* of its sessions */
	struct ons_wants wants;
	struct ons_reader reader;
	struct loop_timer beat; /* the time to show a token; then, pings */
	int n_unanswered;	/* pings since it spoke last */
	uint64_t n_unwatched;	/* see onsembl/ons_monitor.h */
	struct list commands;
	size_t n_commands;
	bool is_pumping;
	bool needs_list; /* what it says has changed */
};

/* Send a message, and reset the buf. */
void ons_dash_send(struct ons_dash *d, struct buf *message);

/* Begin a message with a new id. */
void ons_dash_begin(struct buf *out, enum ons_type type);

/* Begin the ACK of a message. */
void ons_dash_begin_ack(struct buf *out, const struct ons_message *m);

/* Write a new id to out. */
void ons_dash_make_id(char out[ONS_OWN_ID], const char *prefix);

/* Send an ERROR with no more than this. */
void ons_dash_error(struct ons_dash *d, const char *code, const char *message);

/* Send one that says more. */
void ons_dash_tell_error(struct ons_dash *d, const struct ons_error *error);

/* Close its wire. */
void ons_dash_close(struct ons_dash *d, int code, const char *reason);

/*
 * Send DASHBOARD_CONNECTED with all agents that it may see, and AGENT_STATUS of
 * each.
 */
void ons_dash_list_agents(struct ons_dash *d);

/* Whether it is to be told of an agent. */
bool ons_dash_watches(const struct ons_dash *d, const struct ons_agent *a);

/* Send AGENT_STATUS. */
void ons_dash_tell_status(struct ons_dash *d, const struct ons_agent *a);

/* Take the user of its token; it may then command. */
void ons_dash_admit(struct ons_dash *d, const struct ons_claims *claims);

#endif
