/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ACCESS_POLICY_H
#define ACCESS_POLICY_H

/*
 * The policy says who is admitted: one of the levels open, careful and strict,
 * or the operator's own, given as a file, a text or a mapping in host.yaml. It
 * is read once, including the environment, which may hold invite codes and the
 * price. Cases that it leaves open go to an evaluator, with the text of the
 * policy as its instructions. If the agent passed an object to host() as trust,
 * that object is the evaluator; it is asked about every signing caller that no
 * list allows or denies, and the default applies to anonymous callers.
 */
#include "access/lists.h"

#include <stdbool.h>
#include <stddef.h>

struct conf;
struct err;
struct policy;

/* A policy larger than this is refused. */
#define POLICY_BYTES ((size_t)1024 * 1024)

/* The maximum number of invite codes. */
#define POLICY_MAX_CODES 256

/* What a policy says about a caller. */
enum policy_verdict {
	POLICY_ALLOW,
	POLICY_ADMIT, /* correct invite code: becomes a contact */
	POLICY_DENY,
	POLICY_ONBOARD, /* denied, but onboarding is possible */
	POLICY_ASK,	/* the evaluator decides */
};

/* What is known about a caller. */
struct policy_facts {
	struct lists_entry entry;
	bool is_anonymous;	 /* no signature */
	const char *invite_code; /* given in the request; NULL: none */
	bool has_evaluator;
};

/*
 * Read the policy named by the setting trust. Returns NULL with ERR_CONFIG,
 * which names file and line. Suspicious rules are logged as warnings.
 */
struct policy *policy_open(const struct conf *conf, struct err *err);

/* Free and null *p. */
void policy_close(struct policy **p);

/* The text for an evaluator; "" if there is none. */
const char *policy_text(const struct policy *p);

/*
 * Judge a caller by the rules of spec 5.4. On denial *reason is the text that
 * follows "forbidden: " (static).
 */
enum policy_verdict policy_judge(const struct policy *p,
    const struct policy_facts *facts, const char **reason);

/* Whether this is one of the invite codes. Takes the same time for any code. */
bool policy_code_fits(const struct policy *p, const char *code);

/* Whether it leaves callers to the trust agent. */
bool policy_asks(const struct policy *p);

/* Whether it does, and lets nobody in of those without one. */
bool policy_needs_judge(const struct policy *p);

/* Whether there is an invite code at all. */
bool policy_has_codes(const struct policy *p);

/* The price of admission; 0: admission cannot be bought. */
double policy_price(const struct policy *p);

#endif
