/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ACCESS_POLICY_INT_H
#define ACCESS_POLICY_INT_H

/*
 * What a policy is made of, for the files that read one. policy.c judges,
 * policy_text.c finds the text and takes it apart, policy_rules.c reads the
 * rules.
 */
#include "access/policy.h"

struct buf;
struct json;

enum { ALLOW_ADMIN = 1, ALLOW_WHITELISTED = 2, ALLOW_CONTACT = 4 };

enum policy_default { DEFAULT_DENY, DEFAULT_ALLOW, DEFAULT_ASK };

struct policy {
	const char *name; /* a level, or "custom" */
	bool is_custom;
	bool asks_signers; /* the evaluator is asked about all that signed */
	unsigned allow;
	bool denies_blocked;
	enum policy_default fallback;
	char **codes; /* wiped when freed */
	size_t n_codes;
	double price; /* 0: none */
	char *text;   /* for the evaluator; NULL: none */
};

/* Where rules come from. */
struct policy_source {
	const char *name;	 /* what messages call it, such as a path */
	const struct json *root; /* a mapping; null is an empty one */
	const struct buf *lines; /* of its keys, of size_t; NULL: not known */
};

/*
 * Read the rules into p, which has the level's defaults. What matches nothing
 * is logged. Returns 0, or -1 with ERR_CONFIG that names source and line.
 */
int policy_rules_read(
    struct policy *p, const struct policy_source *s, struct err *err);

/* Read what the setting trust names into p. 0, or -1 with ERR_CONFIG. */
int policy_text_read(
    struct policy *p, const struct conf *conf, struct err *err);

#endif
