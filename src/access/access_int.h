/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ACCESS_ACCESS_INT_H
#define ACCESS_ACCESS_INT_H

/*
 * Private to access/: one access and its calls. access.c accepts a question and
 * checks its signature; access_admit.c determines the caller's level and
 * evaluates the policy; access_onboard.c admits strangers; access_change.c
 * changes the lists. All of them use access_call.c, which implements the life
 * and the verdict of a call and knows none of them.
 */
#include "access/access.h"
#include "access/lists.h"
#include "base/list.h"
#include "identity/seal.h"

/* The error when a signature cannot be claimed. */
#define ACCESS_UNAVAILABLE "misconfigured: replay protection unavailable"

struct access {
	struct access_setup setup;
	struct gate *gate;
	struct lists *lists;
	struct policy *policy;
	struct payment *payment;
	struct seal_host host;
	struct crew *changer;	/* one thread, which keeps changes in order */
	struct list changes;	/* given to the crew, the oldest first */
	struct list refused;	/* changes for which there was no room */
	struct list calls;	/* all that are not freed */
	struct list ready;	/* those whose verdict can be delivered */
	uint64_t lists_version; /* as access_has_changed() saw it */
};

/* A call in progress. */
struct access_call {
	struct list link;
	struct list ready;
	struct access *access;
	access_fn *fn; /* NULL: cancelled */
	void *arg;
	enum access_use use;
	const char *late;
	char *invite_code; /* from the payload; NULL: none */
	char *prompt;	   /* for the evaluator; NULL: it is not shown any */
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
	bool asks_of_prompts; /* the evaluator, if it sees prompts */
	const char *used;     /* the error for a second use */
};

/* Returns the checks for a use. */
const struct access_rules *access_rules(enum access_use use);

/* Create a call and add it to those of a. */
struct access_call *access_call_new(struct access *a, enum access_use use,
    const char *peer, access_fn *fn, void *arg);

/* Free a call without a callback. */
void access_call_free(struct access_call *q);

/* Deliver the verdict, and free the call. */
void access_call_tell(struct access_call *q);

/* Deliver the verdict from the loop, never re-entrantly. */
void access_call_tell_later(struct access_call *q);

/* Make the verdict a refusal. */
void access_call_refuse(
    struct access_call *q, enum err_code code, const char *text);

/* Fill *err for a call for which the gate, or its peer's queue, had no room. */
void access_busy(struct err *err, bool is_own_queue);

/*
 * The maximum number of pending changes of the lists; one more fails as busy.
 */
#define ACCESS_MAX_CHANGES 2048

/* How long a change may take before it fails as busy. */
#define ACCESS_CHANGE_MS 2000

/* Start the thread that changes the lists. */
void access_changes_open(struct access *a);

/* Report the results of changes that have ended. */
void access_changes_collect(struct access *a);

/* Fail the changes that took too long; one that has not begun never will. */
void access_changes_tick(struct access *a);

/* Wait for the change that is being made, and drop the others unreported. */
void access_changes_close(struct access *a);

/*
 * Decide, when the signature is valid or absent. If is_waiting is set
 * afterwards, the verdict comes later.
 */
void access_admit(struct access_call *q);

/* Make the caller a contact, then deliver the verdict. */
void access_promote(struct access_call *q);

/* Whether the caller may try another invite code. */
bool access_may_guess(const struct access_call *q);

/* Count a wrong code of the caller. */
void access_note_guess(const struct access_call *q);

#endif
