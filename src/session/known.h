/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef SESSION_KNOWN_H
#define SESSION_KNOWN_H

/*
 * What the store knows of a session that is not in the registry: enough to put
 * it there, and to tell whose it is. The caller's, and a copy: it borrows
 * nothing.
 */
#include "journal/registry.h"
#include "session/session.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct known {
	struct registry_seed seed; /* number 0: nothing is known */
	bool has_record;	   /* and it has not expired */
	bool is_fresh;	     /* used within idle_timeout: still "connected" */
	bool is_journal_due; /* this journal should have the end of its turn */
};

/* Read what is known of an id. Returns 0, or -1 with ERR_STORE or ERR_DAMAGED. */
int known_read(struct sessions *all, const char *id, size_t len,
    struct known *k, struct err *err);

/* What a client is told that the session is. */
enum session_status known_status(const struct known *k);

/* Whether it has no owner; so has one of which nothing is known. */
bool known_is_nobodys(const struct known *k);

/* Whether it is another's than this caller's (session_caller_key()). */
bool known_is_foreign(
    const struct known *k, const uint8_t caller[REGISTRY_KEY]);

#endif
