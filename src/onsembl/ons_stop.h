/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ONSEMBL_ONS_STOP_H
#define ONSEMBL_ONS_STOP_H

/*
 * The emergency stop of a user: every agent that has dialed in and that the user
 * may see is told, and its commands are cancelled; and every dashboard that may
 * see what the user may, in any worker.
 */
#include "base/span.h"

#include <stdint.h>

struct door_setup;
struct ons_claims;
struct ons_token_keys;

/* Who stops. */
struct ons_stopper {
	const struct door_setup *setup;
	const struct ons_token_keys *keys;
	const struct ons_claims *claims;
	const char *dashboard; /* its id; it is not told. "": it has none */
	struct span reason;    /* absent: it gave none */
};

/* How much was stopped. */
struct ons_stopped {
	int64_t n_agents;
	int64_t n_commands;
};

/* Stop. The hosted agent's commands are left to their dashboards. */
struct ons_stopped ons_stop_all(const struct ons_stopper *s);

#endif
