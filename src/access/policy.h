/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ACCESS_POLICY_H
#define ACCESS_POLICY_H

/*
 * The policy says who may come in: one of the levels open, careful and strict,
 * or the operator's own, as a file, a text or a mapping in host.yaml. It is
 * read once; reading it reads the environment (invite codes and the price may
 * be named there). What it cannot decide is left to an evaluator, with the text
 * of the policy for its instructions. Where the agent gave an object to host()
 * for trust, that is the evaluator, it is asked about everybody who signed and
 * is not allowed or denied by a list, and the default is for who did not.
 */
#include "access/lists.h"

#include <stdbool.h>
#include <stddef.h>

struct conf;
struct err;
struct policy;

/* A larger policy is refused. */
#define POLICY_BYTES ((size_t)1024 * 1024)

/* Most invite codes. */
#define POLICY_MAX_CODES 256

enum policy_verdict {
	POLICY_ALLOW,
	POLICY_ADMIT, /* the invite code fits: they become a contact */
	POLICY_DENY,
	POLICY_ONBOARD, /* denied, but a door is open */
	POLICY_ASK,	/* the evaluator decides */
};

/* What is known of a caller. */
struct policy_facts {
	struct lists_entry entry;
	bool is_anonymous;	 /* nothing was signed */
	const char *invite_code; /* said in the request; NULL: none */
	bool has_evaluator;
};

/*
 * Read the policy that the setting trust names. NULL with ERR_CONFIG, which
 * names file and line. Oddities are logged as warnings.
 */
struct policy *policy_open(const struct conf *conf, struct err *err);

/* Free and null *p. */
void policy_close(struct policy **p);

/* The name for /info: a level, or "custom". */
const char *policy_name(const struct policy *p);

/* The text for an evaluator, "" for none. */
const char *policy_text(const struct policy *p);

/*
 * Judge a caller by the rules of spec 5.4. For a denial *reason is what comes
 * after "forbidden: " (static).
 */
enum policy_verdict policy_judge(const struct policy *p,
    const struct policy_facts *facts, const char **reason);

/* Whether this is one of the invite codes; takes the same time for all. */
bool policy_code_fits(const struct policy *p, const char *code);

/* Whether there is an invite code, so that this door is open. */
bool policy_has_codes(const struct policy *p);

/* The price of coming in, 0: it cannot be bought. */
double policy_price(const struct policy *p);

#endif
