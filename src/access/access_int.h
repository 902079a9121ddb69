/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ACCESS_ACCESS_INT_H
#define ACCESS_ACCESS_INT_H

/*
 * Private to trust/: one access and its questions. access.c takes a question
 * and checks its signature; access_admit.c finds out who somebody is and what
 * the policy says; access_onboard.c lets strangers in, access_change.c changes
 * the lists. All use access_call.c, which is a question's life and verdict and
 * knows none of them.
 */
#include "access/access.h"
#include "access/lists.h"
#include "base/list.h"
#include "identity/seal.h"

/* What is told when a signature cannot be claimed. */
#define ACCESS_UNAVAILABLE "misconfigured: replay protection unavailable"

struct access {
	struct access_setup setup;
	struct gate *gate;
	struct lists *lists;
	struct policy *policy;
	struct payment *payment;
	struct seal_host host;
	struct list calls;	/* all that are not freed */
	struct list ready;	/* those whose verdict can be told */
	uint64_t lists_version; /* as access_has_changed() saw it */
};

/* A question on its way. */
struct access_call {
	struct list link;
	struct list ready;
	struct access *access;
	access_fn *fn; /* NULL: nobody waits */
	void *arg;
	enum access_use use;
	const char *late;
	char *invite_code; /* of the payload; NULL: none */
	struct caller caller;
	char *peer;
	bool is_relayed;
	bool is_signed;
	bool is_refused;
	bool is_waiting; /* the verdict comes from elsewhere */
	bool may_onboard;
	struct err err;
};

/* Which checks a use needs. */
struct access_rules {
	bool needs_recipient;
	bool is_claimed;
	bool asks_policy;
	bool refuses_blocked;
	const char *used; /* what a second use is told */
};

/* The checks of a use. */
const struct access_rules *access_rules(enum access_use use);

/* A new question, among all of a. */
struct access_call *access_call_new(struct access *a, enum access_use use,
    const char *peer, access_fn *fn, void *arg);

/* Free it without telling anybody. */
void access_call_free(struct access_call *q);

/* Tell the verdict, and free the question. */
void access_call_tell(struct access_call *q);

/* Tell it soon, but not from inside the call that asked. */
void access_call_tell_later(struct access_call *q);

/* Let the verdict be a refusal. */
void access_call_refuse(
    struct access_call *q, enum err_code code, const char *text);

/* The refusal of a question for which the gate, or its queue, had no room. */
void access_busy(struct err *err, bool is_own_queue);

/*
 * The signature is good, or there is none: decide, unless is_waiting is set
 * then, and the verdict comes later.
 */
void access_admit(struct access_call *q);

/* Make the caller a contact, and then tell the verdict. */
void access_promote(struct access_call *q);

/* Whether the caller may try another invite code. */
bool access_may_guess(const struct access_call *q);

/* It tried a wrong one. */
void access_note_guess(const struct access_call *q);

#endif
