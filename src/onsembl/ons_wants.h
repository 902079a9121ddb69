/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ONSEMBL_ONS_WANTS_H
#define ONSEMBL_ONS_WANTS_H

/*
 * What a dashboard has subscribed to: some or all agents, some or all commands,
 * traces, and what agents write by themselves. {0} is nothing. Pure.
 */
#include "base/buf.h"
#include "base/json.h"
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>

/* The maximum number of ids in a set. */
#define ONS_WANTS_MAX 256

/* Some ids, or all. */
struct ons_set {
	bool is_all;
	struct buf ids; /* each ends with a NUL */
	size_t n;
};

struct ons_wants {
	struct ons_set agents;
	struct ons_set commands;
	bool has_traces;
	bool has_terminals;
};

/* Free the memory; *w is then {0} again. */
void ons_wants_fini(struct ons_wants *w);

/* Subscribe to everything. */
void ons_wants_all(struct ons_wants *w);

/*
 * Replace *w by the "subscriptions" of DASHBOARD_INIT. An array that is empty or
 * has "*", and anything that is no array, means all; an absent one means none.
 * Returns false if a set would be too large.
 */
bool ons_wants_read(struct ons_wants *w, const struct json *subscriptions);

/*
 * Add or remove what DASHBOARD_SUBSCRIBE and DASHBOARD_UNSUBSCRIBE name: "agent"
 * or "command" with an id or all of them, "trace", "terminal". Returns false if
 * the type is unknown, the id is missing, or the set would be too large.
 */
bool ons_wants_change(struct ons_wants *w, struct span type, struct span id,
    bool is_all, bool is_wanted);

/* Whether it has this id. */
bool ons_set_has(const struct ons_set *set, const char *id);

/* Append the members of "subscriptions". */
void ons_wants_put(struct buf *out, const struct ons_wants *w);

#endif
