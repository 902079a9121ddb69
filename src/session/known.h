/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef SESSION_KNOWN_H
#define SESSION_KNOWN_H

/*
 * What the store knows about a session that is not in the registry: enough to
 * enter it there, and to determine its owner. A copy that belongs to the caller
 * and borrows nothing.
 */
#include "journal/registry.h"
#include "session/session.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is known; see known_read(). */
struct known {
	struct registry_seed seed; /* number 0: nothing is known */
	bool has_record;	   /* a record that has not expired */
	bool is_fresh;	     /* used within idle_timeout: still "connected" */
	bool is_journal_due; /* the end of its turn belongs into this journal */
};

/*
 * Read what is known about an id. Returns 0, or -1 with ERR_STORE or
 * ERR_DAMAGED.
 */
int known_read(struct sessions *all, const char *id, size_t len,
    struct known *k, struct err *err);

/* Returns the status of the session as clients see it. */
enum session_status known_status(const struct known *k);

/* Whether it has no owner; true also if nothing is known about it. */
bool known_is_nobodys(const struct known *k);

/*
 * Whether it is owned by another caller than this one (session_caller_key()).
 */
bool known_is_foreign(
    const struct known *k, const uint8_t caller[REGISTRY_KEY]);

#endif
